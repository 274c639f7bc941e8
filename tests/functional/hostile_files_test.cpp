// A4. What lies where a file is expected: FIFOs, sockets, devices. Nothing is waited for; and whatever a
// command waits for, a signal ends it.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/file_lock.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

enum class Trap { fifo, socket, device };

const char* name_of(Trap trap) {
  return trap == Trap::fifo ? "a FIFO" : trap == Trap::socket ? "a socket" : "a device";
}

class HostileFiles : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    write_file(root() / "secret", "HOST_SECRET=of this machine\n");
    write_file(project() / "a.txt", "content\n");
  }

  /// A checkout without git's help, since git may not be installed: an index without entries.
  void checkout() {
    write_file(project() / ".git/HEAD", "ref: refs/heads/main\n");
    write_file(project() / ".git/index", std::string("DIRC\0\0\0\2\0\0\0\0", 12) + std::string(20, '\0'));
    write_file(project() / ".git/info/exclude", "*.log\n");
    write_file(project() / ".git/config", "[core]\n");
  }

  void lay(const fs::path& place, Trap trap) {
    fs::remove_all(place);
    if (trap == Trap::fifo) {
      ASSERT_EQ(::mkfifo(place.c_str(), 0666), 0);
    } else if (trap == Trap::device) {
      fs::create_symlink("/dev/zero", place);
    } else {
      const os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      const auto text = place.string();
      ASSERT_LT(text.size(), sizeof(address.sun_path));
      text.copy(address.sun_path, text.size());
      ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    }
  }

  /// Ended by us where it does not end: then it fails.
  static RunOptions bounded() {
    RunOptions options;
    options.timeout = std::chrono::seconds(60);
    return options;
  }

  void expect_refused(const std::string& what, const std::string& place) {
    for (const Arguments& command : {Arguments{"plan"}, Arguments{"apply", "--yes"}}) {
      const auto result = pyro(command, bounded());
      EXPECT_GT(result.status, 0) << command[0] << ": " << result;
      EXPECT_LT(result.status, 128) << command[0] << ": " << result;
      EXPECT_NE(result.err.find(what), std::string::npos) << command[0] << ": " << result;
      EXPECT_NE(result.err.find(place), std::string::npos) << command[0] << ": " << result;
    }
  }

  /// Runs until it waits for what we hold, and tells it to stop.
  os::Outcome stopped(os::Child& child, int signal) {
    while (true) {
      if (const auto outcome = child.try_wait()) {
        return *outcome;
      }
      child.signal(signal);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
};

TEST_F(HostileFiles, WhereGitKeepsFilesOnlyRegularOnesAreRead) {
  spec();
  for (const auto trap : {Trap::fifo, Trap::socket, Trap::device}) {
    for (const auto* name : {".git", ".git/index", ".git/commondir", ".git/config", ".git/info/exclude"}) {
      fs::remove_all(project() / ".git");
      checkout();
      lay(project() / name, trap);
      expect_refused(name_of(trap), name);
    }
  }
  fs::remove_all(project() / ".git");
  fs::create_directories(project() / "nested");
  lay(project() / "nested/.git", Trap::fifo);
  checkout();
  expect_refused("a FIFO", "nested/.git");
}

TEST_F(HostileFiles, WhatTheFileNamesIsARegularFile) {
  spec("services:\n  web: {command: sleep 1000, env_file: [some.env]}\n");
  for (const auto trap : {Trap::fifo, Trap::socket}) { // a symlink to a device leads out
    lay(project() / "some.env", trap);
    expect_refused("regular file", "some.env");
  }
  fs::remove(project() / "some.env");
  spec("services:\n  web: {command: sleep 1000, secrets: [key]}\nsecrets:\n  key: {file: some.key}\n");
  lay(project() / "some.key", Trap::fifo);
  const auto secret = pyro({"apply", "--yes"}, bounded());
  EXPECT_NE(secret.err.find("regular file"), std::string::npos) << secret;
  fs::remove(project() / "some.key");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: some.tar}\n");
  lay(project() / "some.tar", Trap::fifo);
  expect_refused("a FIFO", "some.tar");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'tar:some.tar'}\nseed: {from: .}\n");
  expect_refused("a FIFO", "some.tar");
}

TEST_F(HostileFiles, TheSpecItselfIsARegularFile) {
  for (const auto trap : {Trap::fifo, Trap::socket, Trap::device}) {
    lay(project() / "pyro.yaml", trap);
    expect_refused(name_of(trap), "pyro.yaml");
  }
  fs::remove(project() / "pyro.yaml");
}

TEST_F(HostileFiles, IgnoreFilesThatAreNoneAreLeftOut) {
  spec();
  checkout();
  for (const auto* name : {".gitignore", ".pyroignore"}) {
    lay(project() / name, Trap::fifo);
  }
  expect(0, {"plan"}, bounded());
  expect(0, {"apply", "--yes"}, bounded());
  EXPECT_EQ(inside("ls -A /workspace").out, "a.txt\n");
}

TEST_F(HostileFiles, TheAgentWaitsForNoUserDatabase) {
  spec();
  expect(0, {"apply", "--yes"});
  const auto replaced = inside(
      "for f in passwd group; do rm -f /etc/$f && mkfifo /etc/$f || exit 1; done; test -p /etc/passwd");
  ASSERT_EQ(replaced.status, 0) << replaced;
  for (int round = 0; round < 2; ++round) {
    const auto result = pyro({"exec", "--", "id", "-u"}, bounded());
    EXPECT_EQ(result.status, 126) << result;
    EXPECT_NE(result.err.find("there is no user 'root'"), std::string::npos)
        << "as with an empty one: " << result;
    expect(0, {"snapshot", "save", "hostile" + std::to_string(round)}, bounded());
    expect(0, {"stop"}, bounded());
    expect(0, {"start"}, bounded());
  }
}

TEST_F(HostileFiles, ASignalEndsACommandThatWaitsForALock) {
  spec();
  expect(0, {"apply", "--yes"});
  const auto lock = state() / "workspaces" / *workspace_ids().begin() / "lock";
  for (const int signal : {SIGINT, SIGTERM}) {
    std::optional<os::ExclusiveLock> held;
    ASSERT_TRUE(eventually([&] {
      held = os::ExclusiveLock::try_lock(lock.string(), "the test");
      return held.has_value();
    }));
    auto waiting = start({"destroy", "--yes", "--lock-timeout", "1h"});
    const auto opened = fs::path("/proc") / std::to_string(waiting.pid()) / "fd";
    ASSERT_TRUE(eventually([&] { // it has the lock's file open: nothing is left to do but to wait
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(opened, none)) {
        if (fs::read_symlink(entry, none) == lock) {
          return true;
        }
      }
      return false;
    }));
    waiting.signal(signal);
    EXPECT_EQ(waiting.wait().shell_status(), 128 + signal);
  }
}

/// Nobody reads what it writes, which no signal handler can help.
TEST_F(HostileFiles, TheSecondSignalEndsACommandWhateverItWaitsFor) {
  for (const int signal : {SIGINT, SIGTERM}) {
    auto pipe = os::make_pipe();
    os::set_nonblocking(pipe.write_end.get());
    const std::string block(4096, 'x');
    while (::write(pipe.write_end.get(), block.data(), block.size()) > 0) {
    }
    ASSERT_EQ(errno, EAGAIN);
    ASSERT_EQ(::fcntl(pipe.write_end.get(), F_SETFL, O_WRONLY), 0); // it blocks again
    os::Command command{.argv = {(bin / "pyro").string(), "--help"}, .env = environment({})};
    const auto nothing = os::open_file("/dev/null", O_RDWR);
    command.fds = {{0, nothing.get()}, {1, pipe.write_end.get()}, {2, nothing.get()}};
    auto child = os::spawn(command);
    EXPECT_EQ(stopped(child, signal).shell_status(), 128 + signal);
  }
}

} // namespace
} // namespace pyro::testing
