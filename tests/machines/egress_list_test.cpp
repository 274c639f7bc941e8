// A list of hosts holds for a guest as it does for a sandbox of namespaces (functional/egress_list_test.cpp).
#include "../support/apt_repository.hpp"
#include "../support/outside_world.hpp"
#include "machines.hpp"

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class EgressListOfAMachine : public Machines {
protected:
  void TearDown() override {
    Machines::TearDown();
    ::unsetenv("PYRO_NAME_SERVERS");
  }
};

TEST_F(EgressListOfAMachine, LetsOutWhatItNamesAndNothingElse) {
  OutsideWorld world(
      root() / "world", {{"web.example", {"127.0.0.1"}}, {"other.example", {"127.0.0.1"}}},
      {{"http"}, {"http"}});
  ::setenv("PYRO_NAME_SERVERS", world.name_server().c_str(), 1);
  append_file(
      project() / "pyro.yaml",
      fmt::format("network: {{egress: [\"web.example:{0}\", \"127.0.0.1:{0}\"]}}\n", world.port(0)));
  expect(0, {"apply", "--yes"});
  const auto listed = inside(fmt::format("wget -q -O - http://web.example:{}/x", world.port(0)));
  EXPECT_NE(listed.out.find("\"path\": \"/x\""), std::string::npos) << listed;
  EXPECT_NE(inside(fmt::format("wget -q -T 5 -O - http://web.example:{}/", world.port(1))).status, 0);
  EXPECT_NE(inside(fmt::format("wget -q -T 5 -O - http://other.example:{}/", world.port(0))).status, 0);
  EXPECT_NE(inside(fmt::format("wget -q -T 5 -O - http://10.0.2.2:{}/", world.port(1))).status, 0);
  EXPECT_NE(inside("nslookup evil.example").status, 0);
  EXPECT_EQ(world.visits("http").size(), 1U);
  for (const auto& asked : world.visits("dns")) {
    EXPECT_EQ(get_string(asked, "name"), "web.example");
  }
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside(fmt::format("wget -q -O - http://web.example:{}/x", world.port(0))).status, 0)
      << "a clone as well";
}

class NetworkEgressListOfAMachine : public EgressListOfAMachine {};

/// As functional/egress_list_test.cpp has it of a sandbox of namespaces: packages of one mirror, and nothing
/// else.
TEST_F(NetworkEgressListOfAMachine, PackagesOfOneMirrorAndNothingElse) {
  if (const auto reason = why_no_network(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  make_apt_repository(root() / "mirror");
  OutsideWorld mirror(
      root() / "world", {{"packages.example", {"127.0.0.1"}}, {"tracker.example", {"127.0.0.1"}}},
      {{"files", "127.0.0.1", 0, (root() / "mirror").string()}, {"http"}});
  ::setenv("PYRO_NAME_SERVERS", mirror.name_server().c_str(), 1);
  const auto host = fmt::format("packages.example:{}", mirror.port(0));
  write_file(
      project() / "pyro.yaml",
      fmt::format(
          "version: 1\nname: one\nisolation: vm\nseed: {{from: .}}\n"
          "environment: {{image: \"debian:12\", resources: {{memory: 512MiB, disk: 2GiB}}}}\n"
          "network: {{egress: [\"{0}\", \"127.0.0.1:{1}\"]}}\n",
          host, mirror.port(0)));
  expect(0, {"apply", "--yes"});
  const auto installed = inside(fmt::format(
      "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 'APT::Sandbox::User \"root\";' > "
      "/etc/apt/apt.conf.d/99-root; echo 'deb [trusted=yes] http://{} ./' > /etc/apt/sources.list && apt-get "
      "update -q && apt-get install -y pyro-hello && cat /usr/share/pyro-hello/file",
      host));
  EXPECT_EQ(installed.status, 0) << installed;
  EXPECT_NE(installed.out.find("pyro-hello from the mirror"), std::string::npos) << installed;
  for (const auto& other :
       {fmt::format("tracker.example {}", mirror.port(1)), fmt::format("10.0.2.2 {}", mirror.port(1)),
        fmt::format("packages.example {}", mirror.port(1))}) {
    const auto connects =
        "perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => "
        "$ARGV[1], Timeout => 10)' ";
    EXPECT_NE(inside(connects + other).status, 0) << other;
  }
  EXPECT_FALSE(mirror.visits("files").empty());
  EXPECT_TRUE(mirror.visits("http").empty()) << "the listener that nobody may reach";
  for (const auto& asked : mirror.visits("dns")) {
    EXPECT_EQ(get_string(asked, "name"), "packages.example");
  }
}

} // namespace
} // namespace pyro::testing
