// The backend as workspaces use it: a supervisor of its own, the boot protocol, calls through the control
// socket, the end. Only the processor is missing: the fake Firecracker runs the agent as a process.
#include "../../support/files.hpp"
#include "fake.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/backend/firecracker/firecracker_backend.hpp>
#include <pyro/backend/firecracker/programs.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/random.hpp>

#include <csignal>

namespace pyro::backend::firecracker {
namespace {

class FirecrackerBackend : public ::testing::Test {
protected:
  void SetUp() override {
    ::setenv("PYRO_FIRECRACKER", fake_program().c_str(), 1);
    ::setenv(
        "PYRO_JAILER", (pyro::testing::binary_dir().string() + "/bin/fake-firecracker-jailer").c_str(), 1);
    for (const auto* name : {"runtime", "generation", "layers", "templates"}) {
      os::make_directories(path(name));
    }
    file("kernel", "kernel", 0444);
    file("layer.erofs", std::string(8192, 'l'), 0444);
    std::filesystem::copy_file(pyro::testing::binary_dir().string() + "/bin/fake-guest", path("initrd"));
    std::filesystem::permissions(path("initrd"), std::filesystem::perms(0555));
  }

  void TearDown() override {
    ::unsetenv("PYRO_FIRECRACKER");
    ::unsetenv("PYRO_JAILER");
    os::remove_cgroups(os::Cgroup::directories_for(m_name));
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

  void file(const std::string& name, const std::string& text, unsigned mode) const {
    std::ofstream(path(name)) << text;
    std::filesystem::permissions(path(name), std::filesystem::perms(mode));
  }

  LaunchSpec spec() const {
    LaunchSpec spec;
    spec.workspace_id = "unit";
    spec.hostname = "unit";
    spec.runtime_dir = path("runtime");
    spec.generation_dir = path("generation");
    spec.layers_dir = path("layers");
    spec.root.layers = {path("layers") + "/one"};
    spec.agent_path = agent_program();
    spec.cgroup_name = m_name;
    spec.machine.kernel = path("kernel");
    spec.machine.initrd = path("initrd");
    spec.machine.kernel_digest = "0123";
    spec.machine.layer_images = {path("layer.erofs")};
    spec.machine.memory_mib = 128;
    spec.machine.scratch_bytes = 64 << 20;
    spec.machine.templates_dir = path("templates");
    return spec;
  }

  std::unique_ptr<Backend> backend() const {
    return make_backend(
        pyro::testing::binary_dir().string() + "/bin/pyro-supervisor-firecracker", path("templates"));
  }

  std::unique_ptr<ControlClient> control() const {
    return ControlClient::connect(path("runtime") + "/control.sock");
  }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-fc"};
  std::string m_name = "unit-fc-" + os::random_hex(4);
};

TEST_F(FirecrackerBackend, StartsAMachineCallsItsAgentAndStopsIt) {
  const auto launched = backend()->start(spec());
  EXPECT_TRUE(launched.timings.contains("then_entered")) << launched.timings;
  const auto supervisor = os::process_id_of(launched.supervisor_pid);
  const auto sandbox = os::process_id_of(launched.sandbox_pid);
  ASSERT_TRUE(supervisor && sandbox);
  {
    const auto client = control();
    ASSERT_TRUE(client);
    const auto hello = client->call("/agent/hello", Json::object());
    EXPECT_TRUE(hello.contains("protocol_features")) << hello;
    client->call("/stop", {{"grace_ms", 100}});
  }
  const auto deadline = os::now_monotonic() + std::chrono::seconds(10);
  while ((os::is_alive(*supervisor) || os::is_alive(*sandbox)) && os::now_monotonic() < deadline) {
    ::usleep(2000);
  }
  EXPECT_FALSE(os::is_alive(*supervisor));
  EXPECT_FALSE(os::is_alive(*sandbox));
  EXPECT_GT(std::filesystem::file_size(path("generation") + "/scratch.img"), 60u << 20);
  const auto verdict = kvm_verdicts(fake_program(), path("templates")).recall("0123");
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->proved);
  EXPECT_FALSE(kvm_verdicts(fake_program(), path("templates")).recall("another kernel"));
}

TEST_F(FirecrackerBackend, DiesWithItsSupervisor) {
  const auto launched = backend()->start(spec());
  const auto sandbox = os::process_id_of(launched.sandbox_pid);
  ASSERT_TRUE(sandbox);
  ::kill(launched.supervisor_pid, SIGKILL);
  const auto deadline = os::now_monotonic() + std::chrono::seconds(10);
  while (os::is_alive(*sandbox) && os::now_monotonic() < deadline) {
    ::usleep(2000);
  }
  EXPECT_FALSE(os::is_alive(*sandbox));
}

TEST_F(FirecrackerBackend, AVerdictAgainstKvmIsNotTriedAgain) {
  kvm_verdicts(fake_program(), path("templates")).remember("0123", {false, "nobody listened"});
  try {
    std::ignore = backend()->start(spec());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(error.message().find("nobody listened"), std::string::npos) << error.message();
  }
}

TEST_F(FirecrackerBackend, AGuestThatNeverListensSpeaksAgainstKvm) {
  std::filesystem::remove(path("initrd"));
  file("initrd", "nothing that could be run", 0444);
  try {
    std::ignore = backend()->start(spec());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.what();
    EXPECT_NE(error.message().find("KVM does not run"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(control());
  const auto verdict = kvm_verdicts(fake_program(), path("templates")).recall("0123");
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->proved);
}

TEST_F(FirecrackerBackend, ProbeTellsWhatIsMissingLineByLine) {
  const auto level_of = [&](const std::string& name) {
    for (const auto& check : backend()->probe()) {
      if (check.name == name) {
        return check.level;
      }
    }
    return std::string("no such line");
  };
  EXPECT_EQ(level_of("firecracker"), "ok");
  ::setenv("PYRO_FIRECRACKER", path("none").c_str(), 1);
  EXPECT_EQ(level_of("firecracker"), "error");
  ::setenv("PYRO_JAILER", path("none").c_str(), 1);
  EXPECT_EQ(level_of("firecracker-jailer"), ::geteuid() == 0 ? "error" : "note");
  EXPECT_EQ(level_of("firecracker-tested"), "note");
  EXPECT_TRUE(backend()->capabilities().emulated) << "nothing that is not proved is taken unasked";
}

} // namespace
} // namespace pyro::backend::firecracker
