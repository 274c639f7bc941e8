// pyro-supervisor: reads one LaunchSpec as JSON from standard input, starts the sandbox, writes one line of
// JSON
// ({"launched": ...} or {"error": ...}) to standard output, lets go of both and serves. Started by a backend
// only.
#include "qemu_guest.hpp"

#include <pyro/backend/host/launcher.hpp>
#include <pyro/backend/namespaces/launcher.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/supervisor/supervisor.hpp>

#include <sys/prctl.h>
#include <sys/stat.h>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace pyro;

namespace {

class NamespacesGuest : public supervisor::Guest {
public:
  explicit NamespacesGuest(backend::namespaces::Sandbox sandbox) : m_sandbox(std::move(sandbox)) {}

  os::Fd take_channel() override { return std::move(m_sandbox.channel); }

  int pid() const override { return m_sandbox.agent.pid(); }

  bool freeze() override { return m_sandbox.cgroup->freeze(); }

  void thaw() override { m_sandbox.cgroup->thaw(); }

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

  void kill() override {
    m_processes.cgroup->kill();
    if (m_processes.agent.pid() > 0) {
      m_processes.agent.signal(SIGKILL);
      m_processes.agent.wait();
    }
    backend::host::kill_orphans();
  }

private:
  backend::host::Processes m_processes;
};

void answer(const Json& message) {
  try {
    os::write_all(STDOUT_FILENO, message.dump() + "\n");
  } catch (const Error&) {
    ::_exit(1); // the starter is gone and has recorded nothing: the sandbox must not outlive it
  }
  const auto nowhere = os::open_file("/dev/null", O_RDWR);
  ::dup2(nowhere.get(), STDIN_FILENO);
  ::dup2(nowhere.get(), STDOUT_FILENO);
}

/// What is made on this machine for the sandbox, for cleaning up should this process be killed.
void note_kernel_objects(
    const backend::LaunchSpec& spec, const std::vector<std::string>& cgroups, int sandbox_pid) {
  os::write_json_atomically(
      spec.runtime_dir + "/kernel_objects.json",
      {{"cgroups", cgroups}, {"sandbox_pid", sandbox_pid}, {"supervisor_pid", ::getpid()}}, os::Durable::no);
}

void supervise(
    const backend::LaunchSpec& spec, std::unique_ptr<supervisor::Guest> guest, Json timings,
    std::vector<std::string> notes) {
  supervisor::Supervisor process(
      spec, std::move(guest), std::move(timings), std::move(notes), [](const Json& launched) {
        answer({{"launched", launched}});
      });
  process.run();
}

void serve() {
  const auto text = os::read_all(STDIN_FILENO, 4 << 20);
  const auto spec = backend::launch_spec_from_json(parse_json(text, "the launch description"));
  backend::validate(spec);
  note_kernel_objects(spec, os::Cgroup::directories_for(spec.cgroup_name), 0); // before there are any
  if (spec.kind == backend::LaunchKind::host) {
    auto processes = backend::host::launch(spec);
    note_kernel_objects(spec, processes.cgroup->directories(), processes.agent.pid());
    auto notes = processes.notes;
    supervise(spec, std::make_unique<HostGuest>(std::move(processes)), Json::object(), std::move(notes));
    return;
  }
  if (spec.kind == backend::LaunchKind::qemu) {
    auto sandbox = backend::qemu::launch(spec);
    note_kernel_objects(spec, sandbox.cgroup->directories(), sandbox.process.pid());
    auto timings = sandbox.timings;
    auto notes = sandbox.notes;
    supervise(spec, supervisor::make_guest(std::move(sandbox), spec), std::move(timings), std::move(notes));
    return;
  }
  auto sandbox = backend::namespaces::launch(spec);
  note_kernel_objects(spec, sandbox.cgroup->directories(), sandbox.agent.pid());
  auto timings = sandbox.timings;
  auto notes = sandbox.notes;
  supervise(
      spec, std::make_unique<NamespacesGuest>(std::move(sandbox)), std::move(timings), std::move(notes));
}

} // namespace

int main() {
  ::setsid();
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  if (::chdir("/") < 0) {
    return 1;
  }
  try {
    serve();
  } catch (const Error& error) {
    answer({{"error", to_json(error)}});
    return 1;
  } catch (const std::exception& error) {
    answer({{"error", to_json(Error(ErrorCode::internal, "{}", error.what()))}});
    return 1;
  }
  return 0;
}
