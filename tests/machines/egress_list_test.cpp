// A list of hosts holds for a guest as it does for a sandbox of namespaces (functional/egress_list_test.cpp).
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

} // namespace
} // namespace pyro::testing
