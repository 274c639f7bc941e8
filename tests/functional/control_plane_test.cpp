// F. The control plane: names that are paths, foreign eyes on the state directory, damaged records, secrets.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

class ControlPlane : public Functional {};

TEST_F(ControlPlane, NamesAreNotPaths) {
  spec();
  expect(0, {"apply"});
  const auto before = tree_of(root() / "project");
  for (const auto& name : Arguments{
           "../x", "..", ".", "a/b", "/etc/x", "-x", "baseline", "A", "", "x\n", "ü",
           std::string(300, 'a')}) {
    const auto saved = pyro({"snapshot", "save", "--", name});
    EXPECT_NE(saved.status, 0) << "the name \"" << name << "\" was taken";
    EXPECT_NE(saved.status, 70) << "reported as a bug: " << saved;
    EXPECT_NE(pyro({"reset", "--yes", "--to=" + name}).status, 70);
  }
  for (const auto& id : Arguments{"../../etc", "/", "..", "*", "-", "a/../b"}) {
    const auto status = pyro({"status", "-w" + id});
    EXPECT_NE(status.status, 0) << id;
    EXPECT_NE(status.status, 70) << status;
    EXPECT_NE(pyro({"destroy", "--yes", "-w" + id}).status, 0) << id;
  }
  EXPECT_EQ(tree_of(root() / "project"), before);
  EXPECT_EQ(inside("echo alive").out, "alive\n");
}

TEST_F(ControlPlane, HostileServiceAndWorkspaceNamesAreRefusedInTheFile) {
  for (const auto* body :
       {"services: {\"../x\": {command: x}}\n", "services: {\"-x\": {command: x}}\n",
        "snapshots: {\"../x\": {at: seed}}\n", "prepare: [{id: \"../x\", run: x}]\n",
        "seed: {from: ., to: ../x}\n", "seed: {from: ., to: /proc/self}\n"}) {
    write_file(project() / "pyro.yaml", std::string("version: 1\nenvironment: {image: host}\n") + body);
    const auto result = expect(65, {"validate"});
    EXPECT_NE(result.all().find("pyro.yaml:3:"), std::string::npos) << body << result;
  }
  write_file(project() / "pyro.yaml", "version: 1\nname: ../../x\nenvironment: {image: host}\n");
  expect(65, {"validate"});
}

TEST_F(ControlPlane, StateIsTheUsersAlone) {
  spec();
  expect(0, {"apply"});
  int sockets = 0;
  int seen = 0;
  for (const auto* folder : {"", "workspaces", "store"}) {
    struct stat info {};

    ASSERT_EQ(::stat((state() / folder).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077, 0u) << (state() / folder);
    EXPECT_EQ(info.st_uid, ::geteuid());
  }
  for (const auto& id : workspace_ids()) {
    for (const auto& entry : fs::directory_iterator(state() / "workspaces" / id)) {
      struct stat info {};

      ASSERT_EQ(::lstat(entry.path().c_str(), &info), 0);
      ++seen;
      EXPECT_EQ(info.st_mode & 0077, 0u) << entry.path() << " can be read by others";
    }

    struct stat info {};

    const auto socket = state() / "workspaces" / id / "runtime/control.sock";
    ASSERT_EQ(::stat(socket.c_str(), &info), 0) << socket;
    EXPECT_EQ(info.st_mode & 0077, 0u) << socket;
    ++sockets;
  }
  EXPECT_GT(seen, 3);
  EXPECT_EQ(sockets, 1);
}

TEST_F(ControlPlane, AForeignUserIsTurnedAwayAtTheSocket) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can try as somebody else";
  }
  spec();
  expect(0, {"apply"});
  const auto ids = workspace_ids();
  ASSERT_EQ(ids.size(), 1u);
  // Even if the directories were open (they are not), the peer's credentials are checked.
  fs::permissions(root(), fs::perms(0755));
  for (auto path = state() / "workspaces" / *ids.begin() / "runtime"; path != root();
       path = path.parent_path()) {
    fs::permissions(path, fs::perms(0755));
  }
  const auto socket = state() / "workspaces" / *ids.begin() / "runtime/control.sock";
  fs::permissions(socket, fs::perms(0777));
  const auto script =
      "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(5)\ns.connect(sys.argv[1])\n"
      "s.send(b'{}\\n')\nd=s.recv(100000)\nprint('ANSWER', d)\n";
  const auto tried = command(
      {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", script,
       socket.string()});
  const bool answered =
      tried.out.find("ANSWER b''") == std::string::npos && tried.out.find("ANSWER") != std::string::npos;
  EXPECT_FALSE(answered && tried.out.find("error") == std::string::npos) << tried;
  for (auto path = state() / "workspaces" / *ids.begin() / "runtime"; path != root();
       path = path.parent_path()) {
    fs::permissions(path, fs::perms(0700));
  }
  fs::permissions(socket, fs::perms(0600));
  EXPECT_EQ(inside("echo alive").out, "alive\n");
}

TEST_F(ControlPlane, AStateDirectoryOfSomebodyElseOrASymlinkIsRefused) {
  spec();
  const auto real = root() / "real";
  fs::create_directories(real);
  fs::permissions(real, fs::perms(0700));
  fs::create_directory_symlink(real, root() / "linked");
  RunOptions linked;
  linked.env["PYRO_HOME"] = (root() / "linked").string();
  EXPECT_EQ(pyro({"apply"}, linked).status, 77);
  EXPECT_TRUE(fs::is_empty(real));
  const auto open = root() / "open";
  fs::create_directories(open);
  fs::permissions(open, fs::perms(0777));
  RunOptions writable;
  writable.env["PYRO_HOME"] = open.string();
  EXPECT_EQ(pyro({"apply"}, writable).status, 77);
}

TEST_F(ControlPlane, DamagedRecordsAreNamedAndDestroyStillWorks) {
  spec();
  expect(0, {"apply"});
  const auto ids = workspace_ids();
  ASSERT_EQ(ids.size(), 1u);
  const auto record = state() / "workspaces" / *ids.begin() / "workspace.json";
  const auto good = read_file(record);
  for (const auto& bad : Arguments{
           "", "{", "[]", good.substr(0, good.size() / 2), std::string(100'000, '['),
           "{\"layout_version\": 999}"}) {
    write_file(record, bad);
    for (const auto* verb : {"status", "diff", "plan"}) {
      const auto result = pyro({verb});
      EXPECT_LT(result.status, 128) << verb << " was killed by a signal: " << result;
      EXPECT_NE(result.status, 70) << verb << " calls it a bug: " << result;
    }
  }
  write_file(record, good);
  EXPECT_EQ(inside("echo alive").out, "alive\n");
}

TEST_F(ControlPlane, SecretsAreNowhereButInside) {
  const std::string value = "s3cr3t-" + std::to_string(::getpid()) + "-value";
  write_file(
      project() / "pyro.yaml", "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: .}\n"
                               "secrets: {token: {env: TEST_TOKEN}}\n"
                               "services:\n  web:\n    command: \"test -s \\\"$TOKEN_FILE\\\" && echo up > "
                               "/tmp/up; exec sleep 1000\"\n"
                               "    secrets: [token]\n    readiness: {file: /tmp/up, deadline: 20s}\n");
  RunOptions with;
  with.env["TEST_TOKEN"] = value;
  with.env["PYRO_TRUST"] = "1";
  const auto applied = expect(0, {"apply"}, with);
  EXPECT_EQ(applied.all().find(value), std::string::npos);
  EXPECT_EQ(expect(0, {"snapshot", "save", "s"}, with).all().find(value), std::string::npos);
  // No file of the state directory, and no argument list, holds it.
  for (const auto& entry :
       fs::recursive_directory_iterator(state(), fs::directory_options::skip_permission_denied)) {
    if (entry.is_regular_file() && fs::file_size(entry.path()) < 4'000'000
        && ::access(entry.path().c_str(), R_OK) == 0) {
      EXPECT_EQ(read_file(entry.path()).find(value), std::string::npos)
          << entry.path() << " holds the secret";
    }
  }
  for (const auto pid : processes_naming(value)) {
    ADD_FAILURE() << "a process shows the secret: " << describe(pid);
  }
  for (const auto* verb : {"status", "plan", "config"}) {
    EXPECT_EQ(pyro({verb, "--json"}, with).all().find(value), std::string::npos) << verb;
  }
}

TEST_F(ControlPlane, SecretsThatAProgramPrintsAreTakenOut) {
  const std::string value = "s3cr3t-" + std::to_string(::getpid()) + "-printed";
  RunOptions with;
  with.env["TEST_TOKEN"] = value;
  with.env["PYRO_TRUST"] = "1";
  const std::string head = "version: 1\nname: test\nsecrets: {token: {env: TEST_TOKEN}}\nseed: {from: .}\n";
  write_file(
      project() / "pyro.yaml",
      head
          + "environment:\n  image: host\n  setup:\n    - {id: s, secrets: [token], run: \"echo said; cat "
            "$TOKEN_FILE; exit 3\"}\n");
  const auto step = expect(1, {"apply", "-v"}, with);
  EXPECT_NE(step.all().find("said"), std::string::npos) << "the output is not shown at all: " << step;
  EXPECT_EQ(step.all().find(value), std::string::npos) << step;
  write_file(
      project() / "pyro.yaml", head
                                   + "environment: {image: host}\nservices:\n  web:\n    secrets: [token]\n  "
                                     "  command: \"echo said; cat "
                                     "$TOKEN_FILE; exit 3\"\n    readiness: {tcp: 9, deadline: 5s}\n");
  const auto service = expect(6, {"apply"}, with);
  EXPECT_NE(service.all().find("said"), std::string::npos) << "the log is not shown at all: " << service;
  EXPECT_EQ(service.all().find(value), std::string::npos) << service;
}

TEST_F(ControlPlane, DestroyAndExecAtTheSameTime) {
  spec();
  for (int round = 0; round < 3; ++round) {
    expect(0, {"apply", "--yes"});
    auto first = start({"exec", "--", "sleep", "2"});
    auto second = start({"exec", "--", "sh", "-c", "while :; do echo x; done"});
    std::this_thread::sleep_for(std::chrono::milliseconds(100 * round));
    expect(0, {"destroy", "--yes", "--snapshots"});
    EXPECT_TRUE(eventually([&] { return first.try_wait().has_value(); })) << "exec hangs after destroy";
    EXPECT_TRUE(eventually([&] { return second.try_wait().has_value(); })) << "exec hangs after destroy";
  }
}

} // namespace
} // namespace pyro::testing
