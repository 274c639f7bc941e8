// Services find each other by name, as files that were written for Compose expect it: redis:6379.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class ServiceNames : public Flags {
protected:
  /// What stands behind "ping NAME": the address, or empty.
  std::string address_of(const std::string& name) {
    return inside("ping -c1 -w1 " + name + " 2>/dev/null | sed -n 's/^PING [^ ]* (\\([0-9.]*\\)).*/\\1/p'")
        .out;
  }
};

constexpr const char* k_db =
    "  db: {command: httpd -f -p 8000, readiness: {http: {host: db, port: 8000, path: /first}}}\n";

TEST_F(ServiceNames, AreResolvedFromTheFirstMomentOn) {
  file(
      std::string("services:\n") + k_db
      + "  web:\n    command: wget -q -O /tmp/got http://db:8000/first\n    oneshot: true\n    depends_on: "
        "[db]\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat /tmp/got").out, "first\n");
  EXPECT_EQ(address_of("web"), "127.0.0.1\n");
  EXPECT_EQ(address_of("cache"), "");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(address_of("db"), "127.0.0.1\n");
  EXPECT_FALSE(contains(expect(0, {"diff"}).out, "etc/hosts"));
}

TEST_F(ServiceNames, FollowTheFileAndLeaveOtherLines) {
  file(std::string("services:\n") + k_db);
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo 192.0.2.9 mine >> /etc/hosts", {}).status, 0);
  file(std::string("services:\n") + k_db + "  cache: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(address_of("cache"), "127.0.0.1\n");
  file("services:\n  cache: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(address_of("db"), "");
  EXPECT_TRUE(contains(inside("cat /etc/hosts").out, "192.0.2.9 mine\n"));
  expect(0, {"workspace", "service", "start", "test", "queue", "--", "sleep 1000"});
  EXPECT_EQ(address_of("queue"), "127.0.0.1\n");
  EXPECT_EQ(address_of("cache"), "127.0.0.1\n");
}

TEST_F(ServiceNames, TheEnvironmentsOwnLinesComeFirst) {
  write_file(project() / "root/etc/hosts", "127.0.0.1 localhost\n127.0.0.7 db\n");
  file("services:\n  db: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(address_of("db"), "127.0.0.7\n");
}

TEST_F(ServiceNames, AreInNoLayer) {
  file(std::string("services:\n") + k_db + "snapshots: {up: {at: ready}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(address_of("db"), "127.0.0.1\n");
  expect(0, {"workspace", "fork", "test", "--snapshot", "up", "--name", "other"});
  const auto hosts =
      expect(0, {"-w", "other", "exec", "--", "sh", "-c", "grep -c -w test /etc/hosts || true"});
  EXPECT_EQ(hosts.out, "0\n");
}

} // namespace
} // namespace pyro::testing
