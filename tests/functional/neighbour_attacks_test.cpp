// What one checkout or sandbox can do to another's name, ids, ports, disk and records.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <unistd.h>

namespace pyro::testing {
namespace {

class NeighbourAttacks : public Functional {
protected:
  void file(const fs::path& where, const std::string& name, const std::string& body = "") {
    write_file(
        where / "pyro.yaml",
        "version: 1\nname: " + name + "\nenvironment: {image: host}\nseed: {from: .}\n" + body);
  }

  Result there(const fs::path& where, const std::string& script) {
    return pyro({"exec", "--", "/bin/sh", "-c", script}, {.cwd = where});
  }
};

TEST_F(NeighbourAttacks, ANameIsNobodyElses) {
  file(project(), "test");
  write_file(project() / "whose", "victim\n");
  expect(0, {"apply"});
  const auto victim = json({"status"})["workspace_id"].get<std::string>();
  // Another checkout calls its own as the first, then as the first's id, then as the beginning of it.
  const auto other = another_project("other");
  for (const auto& name : {std::string("test"), victim, victim.substr(0, 6)}) {
    const RunOptions from{.cwd = other};
    file(other, name);
    write_file(other / "whose", "attacker\n");
    const auto applied = pyro({"apply", "--yes"}, from);
    EXPECT_NE(applied.status, 70) << applied;
    EXPECT_EQ(there(project(), "cat whose").out, "victim\n") << name;
    const auto by_id = pyro({"exec", "-w", victim, "--", "cat", "/workspace/whose"}, from);
    EXPECT_EQ(by_id.out, "victim\n") << name << ": " << by_id;
    if (name == "test") {
      const auto by_name = pyro({"exec", "-w", name, "--", "cat", "/workspace/whose"}, {.cwd = root()});
      EXPECT_NE(by_name.status, 0) << "one of two was taken: " << by_name;
    }
    pyro({"destroy", "--yes", "--snapshots"}, from);
    EXPECT_EQ(there(project(), "cat whose").out, "victim\n") << name;
  }
}

TEST_F(NeighbourAttacks, IdsOfSandboxesDifferAcrossStateDirectories) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "an ordinary user has one range for all sandboxes: docs/security.md";
  }
  file(project(), "test");
  expect(0, {"apply"});
  const auto other = another_project("other");
  file(other, "test");
  RunOptions elsewhere{.cwd = other, .env = {{"PYRO_HOME", (root() / "second").string()}}};
  expect(0, {"apply"}, elsewhere);
  const auto one = there(project(), "cat /proc/self/uid_map").out;
  const auto two = pyro({"exec", "--", "cat", "/proc/self/uid_map"}, elsewhere).out;
  EXPECT_FALSE(one.empty());
  EXPECT_NE(one, two) << "the kernel counts both for one user";
  expect(0, {"destroy", "--yes", "--snapshots"}, elsewhere);
}

TEST_F(NeighbourAttacks, APortThatIsTakenStaysItsOwners) {
  const auto serve = [](const std::string& text) {
    return "services:\n  web:\n    command: [python3, -c, \"import http.server, socketserver\\nclass "
           "H(http.server."
           "BaseHTTPRequestHandler):\\n  def do_GET(self):\\n    self.send_response(200)\\n    "
           "self.end_headers()\\n    "
           "self.wfile.write(b'"
           + text
           + "')\\nsocketserver.TCPServer(('', 8080), H).serve_forever()\"]\n"
             "    readiness: {tcp: 8080}\n    ports: ['127.0.0.1:47123:8080']\n";
  };
  file(project(), "test", serve("victim"));
  expect(0, {"apply"});
  const auto ask = [&] {
    return command({"curl", "-sS", "-m", "10", "http://127.0.0.1:47123/"}).out;
  };
  EXPECT_EQ(ask(), "victim");
  const auto other = another_project("other");
  file(other, "other", serve("attacker"));
  const auto applied = pyro({"apply", "--yes"}, {.cwd = other});
  EXPECT_NE(applied.status, 0) << "two have one port: " << applied;
  EXPECT_EQ(ask(), "victim");
  for (int round = 0; round < 3; ++round) {
    std::ignore = pyro({"start"}, {.cwd = other});
    EXPECT_EQ(ask(), "victim");
  }
}

TEST_F(NeighbourAttacks, AFullSharedMemoryAndRunAreOnesOwn) {
  file(project(), "test");
  expect(0, {"apply"});
  const auto other = another_project("other");
  file(other, "other");
  expect(0, {"apply"}, {.cwd = other});
  std::ignore = there(
      project(), "head -c 2G /dev/zero > /dev/shm/full 2>/dev/null; head -c 2G /dev/zero > /run/lock/full "
                 "2>/dev/null; for i in $(seq 2000); do ln -s x /dev/$i; done 2>/dev/null; true");
  EXPECT_EQ(
      there(other, "echo fine > /dev/shm/x && echo fine > /run/lock/x && cat /dev/shm/x").out, "fine\n");
  const auto own = there(project(), "echo still here");
  EXPECT_EQ(own.out, "still here\n") << own;
  expect(0, {"stop"});
  expect(0, {"start"});
  EXPECT_EQ(there(project(), "echo fine > /dev/shm/x && cat /dev/shm/x").out, "fine\n");
}

} // namespace
} // namespace pyro::testing
