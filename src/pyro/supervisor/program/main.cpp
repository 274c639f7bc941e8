// pyro-supervisor: namespaces, QEMU and the host; Firecracker has a program of its own
// (firecracker_main.cpp).
#include "program.hpp"
#include "qemu_guest.hpp"

#include <pyro/backend/host/launcher.hpp>
#include <pyro/backend/namespaces/launcher.hpp>
#include <pyro/os/resource_use.hpp>
#include <pyro/supervisor/supervisor.hpp>

#include <csignal>

using namespace pyro;

namespace {

class NamespacesGuest : public supervisor::Guest {
public:
  explicit NamespacesGuest(backend::namespaces::Sandbox sandbox) : m_sandbox(std::move(sandbox)) {}

  os::Fd take_channel() override { return std::move(m_sandbox.channel); }

  int pid() const override { return m_sandbox.agent.pid(); }

  backend::Gateway* gateway() override { return m_sandbox.way_out.gateway_if_any(); }

  bool freeze() override { return m_sandbox.cgroup->freeze(); }

  void thaw() override { m_sandbox.cgroup->thaw(); }

  ResourceUse use() const override { return os::use_of_cgroups(m_sandbox.cgroup->directories()); }

  std::optional<os::Outcome> outcome() override { return m_sandbox.agent.wait(); }

  // The death of pid 1 kills the whole pid namespace; the group is only faster when there are many processes.
  void kill() override {
    m_sandbox.cgroup->kill();
    m_sandbox.agent.signal(SIGKILL);
  }

private:
  backend::namespaces::Sandbox m_sandbox;
};

class HostGuest : public supervisor::Guest {
public:
  explicit HostGuest(backend::host::Processes processes) : m_processes(std::move(processes)) {}

  os::Fd take_channel() override { return std::move(m_processes.channel); }

  int pid() const override { return m_processes.agent.pid(); }

  bool freeze() override { return m_processes.cgroup->freeze(); }

  void thaw() override { m_processes.cgroup->thaw(); }

  ResourceUse use() const override { return os::use_of_cgroups(m_processes.cgroup->directories()); }

  void kill() override {
    m_processes.cgroup->kill();
    if (m_processes.agent.pid() > 0) {
      m_processes.agent.signal(SIGKILL);
      m_outcome = m_processes.agent.wait();
    }
    backend::host::kill_orphans();
  }

  std::optional<os::Outcome> outcome() override { return m_outcome; }

private:
  std::optional<os::Outcome> m_outcome;
  backend::host::Processes m_processes;
};

void serve(const backend::LaunchSpec& spec) {
  if (spec.kind == backend::LaunchKind::host) {
    auto processes = backend::host::launch(spec);
    supervisor::note_kernel_objects(spec, processes.cgroup->directories(), processes.agent.pid());
    auto notes = processes.notes;
    supervisor::supervise(
        spec, std::make_unique<HostGuest>(std::move(processes)), Json::object(), std::move(notes));
    return;
  }
  if (spec.kind == backend::LaunchKind::machine) {
    auto sandbox = backend::qemu::launch(spec);
    supervisor::note_kernel_objects(spec, sandbox.cgroup->directories(), sandbox.process.pid());
    auto timings = sandbox.timings;
    auto notes = sandbox.notes;
    supervisor::supervise(
        spec, supervisor::make_guest(std::move(sandbox), spec), std::move(timings), std::move(notes));
    return;
  }
  auto sandbox = backend::namespaces::launch(spec);
  supervisor::note_kernel_objects(spec, sandbox.cgroup->directories(), sandbox.agent.pid());
  auto timings = sandbox.timings;
  auto notes = sandbox.notes;
  supervisor::supervise(
      spec, std::make_unique<NamespacesGuest>(std::move(sandbox)), std::move(timings), std::move(notes));
}

} // namespace

int main() {
  return supervisor::run_program(serve);
}
