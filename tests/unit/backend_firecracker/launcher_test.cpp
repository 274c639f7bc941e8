// The launcher from the first fork to the agent's answer: with the fake Firecracker, in the fake jailer's
// jail as root and beside us as an ordinary user. The guest is the real agent.
#include "../../support/files.hpp"
#include "agent_call.hpp"
#include "fake.hpp"
#include "own_network.hpp"

#include <pyro/backend/firecracker/launcher.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/network_link.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <unistd.h>

namespace pyro::backend::firecracker {
namespace {

using std::chrono::milliseconds;

class Launch : public ::testing::Test {
protected:
  void SetUp() override {
    for (const auto& [name, text] :
         {std::pair{"kernel", "kernel"}, {"layer", "layer"}, {"scratch", "disk"}}) {
      std::ofstream(path(name)) << text;
      std::filesystem::permissions(path(name), std::filesystem::perms(name[0] == 's' ? 0600 : 0444));
    }
    std::filesystem::copy_file(agent_program(), path("initrd"));
    std::filesystem::permissions(path("initrd"), std::filesystem::perms(0555));
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

  MachineLaunch request() const {
    MachineLaunch request;
    request.name = "unit-" + std::to_string(::getpid());
    request.directory = m_directory.path();
    request.firecracker = fake_program();
    request.jailer = pyro::testing::binary_dir().string() + "/bin/fake-firecracker-jailer";
    request.machine.kernel_path = path("kernel");
    request.machine.initrd_path = path("initrd");
    request.machine.boot_args = boot_arguments();
    request.machine.drives = {
        {"layer0", path("layer"), DriveAccess::read_only},
        {"scratch", path("scratch"), DriveAccess::read_write}};
    request.boot_limit = milliseconds(10000);
    return request;
  }

  /// Nothing of a machine in the directory but the files that were there.
  std::vector<std::string> what_is_left() const {
    std::vector<std::string> names;
    for (const auto& name : os::list_directory(m_directory.path())) {
      const bool ours = name == "kernel" || name == "initrd" || name == "layer" || name == "scratch";
      const bool empty = name == "jail" && os::list_directory(path(name)).empty();
      if (!ours && !empty) {
        names.push_back(name);
      }
    }
    return names;
  }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-launch"};
};

/// In a child: the launcher changes its process's mount namespace.
void in_child(const std::function<void()>& test) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 1;
    try {
      test();
      status = ::testing::Test::HasFailure() ? 1 : 0;
    } catch (const Error& error) {
      std::printf("%s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see above";
}

TEST_F(Launch, ReachesTheAgentAndLeavesNothing) {
  in_child([&] {
    {
      auto machine = launch(request());
      EXPECT_EQ(machine.api->state(), MachineState::running);
      EXPECT_TRUE(machine.timings.contains("connected"));
      EXPECT_NE(run_inside(std::move(machine.channel), {"no-such-program"}), "");
    }
  });
  EXPECT_EQ(what_is_left(), std::vector<std::string>{});
}

TEST_F(Launch, AsRootFirecrackerIsNobodyInAJail) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "jails are made by root only";
  }
  in_child([&] {
    auto machine = launch(request());
    const auto config = machine.api->send({"GET", "/vm/config", nullptr});
    EXPECT_EQ(config["boot-source"]["kernel_image_path"], "/kernel");
    EXPECT_EQ(config["drives"][1]["path_on_host"], "/drive-scratch");
    const auto keeper = machine.process.pid();
    const auto firecracker = shell(fmt::format("cat /proc/{0}/task/{0}/children", keeper));
    const auto status = shell(fmt::format("cat /proc/{}/status", std::stoi(firecracker)));
    EXPECT_NE(status.find(fmt::format("Uid:\t{}", machine.jail->options().uid)), std::string::npos) << status;
    EXPECT_NE(status.find("CapEff:\t0000000000000000"), std::string::npos) << status;
    const auto of = [&](const std::string& what) {
      return shell(fmt::format("readlink /proc/{}/{}", std::stoi(firecracker), what));
    };
    EXPECT_NE(of("ns/net"), shell("readlink /proc/self/ns/net")) << "no network was asked for";
    EXPECT_NE(of("ns/pid"), shell("readlink /proc/self/ns/pid"));
    EXPECT_EQ(
        shell(fmt::format("ls /proc/{}/root/", std::stoi(firecracker))),
        "dev\ndrive-layer0\ndrive-scratch\nfake-firecracker\ninitrd\nkernel\nrun\n");
    EXPECT_EQ(shell(fmt::format("ls /proc/{}/fd | wc -l", std::stoi(firecracker))).size(), 2u) << "under ten";
  });
}

TEST_F(Launch, DiesWithTheOneWhoLaunchedIt) {
  auto told = os::make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      const auto machine = launch(request());
      os::write_all(told.write_end.get(), std::to_string(machine.process.pid()));
      told.write_end.reset();
      ::pause();
    } catch (const Error& error) {
      std::printf("%s\n", error.what());
    }
    ::_exit(1);
  }
  told.write_end.reset();
  const auto text = os::read_all(told.read_end.get(), 100);
  ASSERT_NE(text, "");
  const auto process = os::process_id_of(std::stoi(text));
  ASSERT_TRUE(process);
  const auto children = ::geteuid() == 0 ? shell(fmt::format("cat /proc/{0}/task/{0}/children", text)) : text;
  const auto firecracker = os::process_id_of(std::stoi(children));
  ASSERT_TRUE(firecracker);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  const auto deadline = os::now_monotonic() + milliseconds(5000);
  while ((os::is_alive(*process) || os::is_alive(*firecracker)) && os::now_monotonic() < deadline) {
    ::usleep(1000);
  }
  EXPECT_FALSE(os::is_alive(*process));
  EXPECT_FALSE(os::is_alive(*firecracker));
  os::remove_cgroups(os::Cgroup::directories_for(request().name));
}

TEST_F(Launch, PausesAndGoesOn) {
  in_child([&] {
    auto machine = launch(request());
    machine.api->send(pause_request());
    EXPECT_EQ(machine.api->state(), MachineState::paused);
    machine.api->send(resume_request());
    EXPECT_EQ(machine.api->state(), MachineState::running);
  });
}

TEST_F(Launch, AProgramThatEndsAtOnceIsToldSo) {
  const auto broken = path("broken-firecracker");
  std::ofstream(broken) << "#!/bin/sh\nexit 3\n";
  std::filesystem::permissions(broken, std::filesystem::perms(0555));
  in_child([&] {
    auto with = request();
    with.firecracker = broken;
    try {
      std::ignore = launch(with);
      ADD_FAILURE() << "launched";
    } catch (const Error& error) {
      EXPECT_TRUE(error.message().starts_with("Firecracker ended before its guest was up: ")) << error.what();
    }
    with.firecracker = path("none-firecracker");
    with.jailer = path("none");
    EXPECT_THROW(launch(with), Error);
  });
  ::unlink(broken.c_str());
  EXPECT_EQ(what_is_left(), std::vector<std::string>{});
}

TEST_F(Launch, AGuestThatNeverListensIsATimeout) {
  in_child([&] {
    auto silent = request();
    silent.machine.boot_args = "quiet";
    silent.boot_limit = milliseconds(200);
    try {
      std::ignore = launch(silent);
      ADD_FAILURE() << "launched";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::timeout) << error.what();
    }
  });
  EXPECT_EQ(what_is_left(), std::vector<std::string>{});
}

TEST_F(Launch, FilesThatFirecrackerMayNotReadAreNamed) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "jails are made by root only";
  }
  std::filesystem::permissions(path("layer"), std::filesystem::perms(0400));
  in_child([&] {
    try {
      std::ignore = launch(request());
      ADD_FAILURE() << "launched";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::permission);
      EXPECT_NE(error.message().find(path("layer")), std::string::npos);
    }
  });
}

TEST_F(Launch, WithANetworkTheGuestHasATap) {
  in_own_network([&] {
    auto with = request();
    with.network = NetworkConfig{"172.29.0.0/16", path("taps"), 0, 0};
    {
      const auto machine = launch(with);
      EXPECT_EQ(machine.tap->plan().tap, "pyro-t0");
      const auto config = machine.api->send({"GET", "/vm/config", nullptr});
      EXPECT_EQ(config["network-interfaces"][0]["host_dev_name"], "pyro-t0");
      EXPECT_NE(shell("ip link show pyro-t0").find("LOWER_UP"), std::string::npos)
          << "Firecracker, which is nobody, holds its other end";
    }
    EXPECT_FALSE(os::find_network_link("pyro-t0"));
  });
}

} // namespace
} // namespace pyro::backend::firecracker
