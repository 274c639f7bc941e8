// OpenSSH's clients with a guest: as functional/ssh_test.cpp has it of a sandbox of namespaces.
#include "machines.hpp"

namespace pyro::testing {
namespace {

TEST_F(Machines, SshReachesAGuest) {
  expect(0, {"apply", "--yes"});
  write_file(project() / "ssh.conf", expect(0, {"ssh-config"}).out);
  const auto inside = command({"ssh", "-F", "ssh.conf", "one.pyro", "cat a.txt; echo err >&2; exit 7"});
  EXPECT_EQ(inside.status, 7) << inside;
  EXPECT_EQ(inside.out, "one\n");
  EXPECT_EQ(inside.err, "err\n");
  const auto sent = command({"scp", "-q", "-F", "ssh.conf", "a.txt", "one.pyro:b.txt"});
  EXPECT_EQ(sent.status, 0) << sent;
  const auto fetched = command({"scp", "-q", "-F", "ssh.conf", "one.pyro:b.txt", "c.txt"});
  EXPECT_EQ(fetched.status, 0) << fetched;
  EXPECT_EQ(read_file(project() / "c.txt"), "one\n");
}

} // namespace
} // namespace pyro::testing
