// The flags of `network log`: of one request that was allowed and one that was not.
#include "../support/outside_world.hpp"
#include "flags.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace pyro::testing {
namespace {

class AsksForTwoHosts {
public:
  explicit AsksForTwoHosts(Flags& test)
      : m_world(test.root() / "world", {{"web.example", {"127.0.0.1"}}}, {{"http"}}),
        m_host(fmt::format("web.example:{}", m_world.port(0))) {
    ::setenv("PYRO_NAME_SERVERS", m_world.name_server().c_str(), 1);
    test.file(fmt::format("network: {{egress: [\"{}\", \"127.0.0.1:{}\"]}}\n", m_host, m_world.port(0)));
    test.expect(0, {"apply", "--yes", "--trust"});
    EXPECT_EQ(test.inside("wget -q -O - http://" + m_host + "/").status, 0);
    EXPECT_NE(test.inside("nc -w 5 9.9.9.9 81 < /dev/null").status, 0);
    EXPECT_TRUE(eventually([&] { return test.json({"network", "log"})["records"].size() == 2; }));
  }

  ~AsksForTwoHosts() { ::unsetenv("PYRO_NAME_SERVERS"); }

  AsksForTwoHosts(const AsksForTwoHosts&) = delete;
  AsksForTwoHosts& operator=(const AsksForTwoHosts&) = delete;

  const std::string& host() const { return m_host; }

private:
  OutsideWorld m_world;
  std::string m_host;
};

TEST_F(Flags, network_log__tail) {
  const AsksForTwoHosts asked(*this);
  const auto last = json({"network", "log", "--tail", "1"})["records"];
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0]["host"], "9.9.9.9");
  EXPECT_EQ(pyro({"network", "log", "--tail", "x"}).status, 64);
}

TEST_F(Flags, network_log__denied) {
  const AsksForTwoHosts asked(*this);
  const auto denied = json({"network", "log", "--denied"})["records"];
  ASSERT_EQ(denied.size(), 1U);
  EXPECT_EQ(denied[0]["verdict"], "denied");
}

TEST_F(Flags, network_log__hosts) {
  const AsksForTwoHosts asked(*this);
  const auto counted = expect(0, {"network", "log", "--hosts"}).out;
  EXPECT_TRUE(contains(counted, "ALLOWED") && contains(counted, asked.host())) << counted;
  EXPECT_FALSE(contains(expect(0, {"network", "log"}).out, "ALLOWED"));
}

TEST_F(Flags, network_log__learn) {
  const AsksForTwoHosts asked(*this);
  EXPECT_EQ(
      expect(0, {"network", "log", "--learn"}).out, "network:\n  egress:\n    - " + asked.host() + "\n");
}

} // namespace
} // namespace pyro::testing
