#include "fake_backend.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::fake {

namespace {

class FakeBackend : public Backend {
public:
  explicit FakeBackend(std::shared_ptr<Controls> controls) : m_controls(std::move(controls)) {}

  std::string name() const override { return "fake"; }

  Isolation isolation() const override { return Isolation::sandbox; }

  std::string execution_mode() const override { return "sandbox"; }

  std::vector<Check> probe() const override {
    if (m_controls->is_unavailable) {
      return {{"fake", "error", "the test says that it cannot be had", "ask the test to allow it"}};
    }
    return {{"fake", "ok", "the test says that it works", ""}};
  }

  Capabilities capabilities() const override { return {}; }

  Launched start(const LaunchSpec& spec) const override {
    validate(spec);
    const int number = ++m_controls->starts;
    if (m_controls->is_unavailable || m_controls->fails_to_start || m_controls->failing_start == number) {
      throw Error(ErrorCode::failed, "the fake sandbox was told to fail");
    }
    os::make_directories(spec.generation_dir + "/root/upper");
    os::make_directories(spec.generation_dir + "/root/work");
    // As a supervisor it is known by its log and by kernel_objects.json.
    const auto log =
        os::open_file(spec.runtime_dir + "/supervisor.log", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    const auto nothing = os::open_file("/dev/null", O_RDWR);
    os::Command command{{"sleep", "3600"}};
    command.fds = {{0, nothing.get()}, {1, nothing.get()}, {2, log.get()}};
    command.die_with_parent = true;
    auto child = os::spawn(command);
    os::write_json_atomically(
        spec.runtime_dir + "/kernel_objects.json",
        {{"cgroups", Json::array()}, {"sandbox_pid", child.pid()}, {"supervisor_pid", child.pid()}},
        os::Durable::no);
    const int pid = child.release();
    return {pid, pid, {}, Json::object()};
  }

private:
  std::shared_ptr<Controls> m_controls;
};

} // namespace

std::unique_ptr<Backend> make_backend(std::shared_ptr<Controls> controls) {
  return std::make_unique<FakeBackend>(std::move(controls));
}

void kill_guest(int sandbox_pid) {
  if (const auto process = os::process_id_of(sandbox_pid)) {
    os::kill_and_wait(*process, std::chrono::seconds(10));
  }
}

} // namespace pyro::backend::fake
