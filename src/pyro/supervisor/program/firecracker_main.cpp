// pyro-supervisor-firecracker: a program of its own, since libcurl cannot be linked statically.
#include "program.hpp"

#include <pyro/backend/firecracker/sandbox_launcher.hpp>
#include <pyro/os/resource_use.hpp>

#include <csignal>

using namespace pyro;

namespace {

class FirecrackerGuest : public supervisor::Guest {
public:
  explicit FirecrackerGuest(backend::firecracker::Machine machine) : m_machine(std::move(machine)) {}

  os::Fd take_channel() override { return std::move(m_machine.channel); }

  int pid() const override { return m_machine.process.pid(); }

  bool has_answered() const override { return true; } // it was told to enter

  // Paused from outside the machine its writable layer could not be read: the agent does it.
  bool freeze() override { return false; }

  void thaw() override {}

  /// Of the machine's own process, with all that is in it.
  ResourceUse use() const override {
    return os::use_of_cgroups(m_machine.cgroup->directories())
        .completed_by(os::use_of_process(m_machine.process.pid()));
  }

  void kill() override {
    m_machine.cgroup->kill();
    if (m_machine.process.pid() > 0) {
      m_machine.process.signal(SIGKILL);
      m_outcome = m_machine.process.wait(); // from here on nobody writes to its disks
    }
  }

  std::optional<os::Outcome> outcome() override { return m_outcome; }

private:
  std::optional<os::Outcome> m_outcome;
  backend::firecracker::Machine m_machine;
};

void serve(const backend::LaunchSpec& spec) {
  auto machine = backend::firecracker::launch(spec);
  supervisor::note_kernel_objects(spec, machine.cgroup->directories(), machine.process.pid());
  auto timings = machine.timings;
  auto notes = machine.notes;
  supervisor::supervise(
      spec, std::make_unique<FirecrackerGuest>(std::move(machine)), std::move(timings), std::move(notes));
}

} // namespace

int main() {
  return supervisor::run_program(serve);
}
