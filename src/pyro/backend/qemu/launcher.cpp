#include "launcher.hpp"

#include "acceleration.hpp"
#include "guest_factory.hpp"
#include "program.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/backend/shared/stopwatch.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {

namespace {

using namespace std::chrono_literals;

constexpr auto k_restore_mount_limit = 60s;
constexpr auto k_enter_limit = 20s;
/// What QEMU takes beside the guest's memory: translated code, buffers.
constexpr std::int64_t k_overhead_bytes = 512LL << 20;
/// QEMU's own threads beside those of the guest's processors.
constexpr std::int64_t k_threads = 64;

MachineShape shape_of(const LaunchSpec& spec, Accelerator accelerator) {
  return {accelerator, spec.machine.cpus, spec.machine.memory_mib, spec.egress};
}

protocol::GuestEnter enter_request(const LaunchSpec& spec) {
  auto enter = identity_of(spec);
  enter.network = spec.egress;
  enter.resolv_conf = resolv_conf_inside(spec);
  return enter;
}

/// Where a template was of no use nothing is lost but time.
class Starter {
public:
  Starter(const LaunchSpec& spec, GuestFactory& factory, std::vector<std::string>& notes, Stopwatch& watch)
      : m_spec(spec), m_factory(factory), m_notes(notes), m_watch(watch) {}

  /// A guest that waits for "enter".
  std::unique_ptr<Machine> start() {
    if (!m_spec.machine.saved.empty()) {
      return from_saved();
    }
    const bool fresh = !os::exists(m_factory.scratch_path());
    if (m_spec.machine.template_budget > 0) {
      try {
        return fresh && !m_spec.tied_to_starter ? from_stack() : from_machine(fresh);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::disk_full) {
          throw;
        }
        m_notes.push_back(fmt::format("booted instead of cloned: {}", error.what()));
      }
    }
    prepare_scratch(!os::exists(m_factory.scratch_path()));
    m_base_memory.reset();
    auto machine = m_factory.boot();
    m_watch.lap("booted");
    return mounted(std::move(machine));
  }

  /// The memory of what it was cloned from; none where it was booted.
  os::Fd take_base_memory() { return std::move(m_base_memory); }

private:
  /// With everything that ran in it. Whatever is wrong with it is the starter's affair.
  std::unique_ptr<Machine> from_saved() {
    const SavedGuest saved{m_spec.machine.saved};
    if (!is_intact(saved, m_factory.key_of_kept())) {
      throw Error(ErrorCode::unavailable, "what was kept is damaged or of another machine");
    }
    m_watch.lap("template");
    return with_scratch_of(saved);
  }

  std::unique_ptr<Machine> from_stack() {
    const auto saved = m_factory.stack_template();
    m_watch.lap("template");
    return with_scratch_of(saved);
  }

  std::unique_ptr<Machine> with_scratch_of(const SavedGuest& saved) {
    const auto method = m_factory.copy_scratch(saved.scratch());
    m_watch.lap("scratch_" + method);
    try {
      return clone(saved);
    } catch (const Error&) {
      std::ignore = ::unlink(m_factory.scratch_path().c_str()); // it belongs to the template's guest
      throw;
    }
  }

  std::unique_ptr<Machine> from_machine(bool fresh) {
    const auto saved = m_factory.machine_template();
    m_watch.lap("template");
    prepare_scratch(fresh);
    return mounted(clone(saved));
  }

  std::unique_ptr<Machine> clone(const SavedGuest& saved) {
    m_base_memory = os::open_file(saved.memory(), O_RDONLY | O_NOFOLLOW);
    auto machine = m_factory.clone(saved);
    m_watch.lap("cloned");
    return machine;
  }

  std::unique_ptr<Machine> mounted(std::unique_ptr<Machine> machine) {
    machine->ask_guest(protocol::to_json(mount_of(m_spec.machine)), k_restore_mount_limit);
    m_watch.lap("mounted");
    return machine;
  }

  void prepare_scratch(bool fresh) {
    if (fresh) {
      m_factory.new_scratch();
      m_watch.lap("scratch");
    }
  }

  const LaunchSpec& m_spec;
  GuestFactory& m_factory;
  std::vector<std::string>& m_notes;
  Stopwatch& m_watch;
  os::Fd m_base_memory;
};

} // namespace

VirtualSandbox launch(const LaunchSpec& spec) {
  refuse_binds(spec);
  VirtualSandbox sandbox;
  Stopwatch watch(sandbox.timings);
  os::make_directories(spec.generation_dir);
  os::make_directories(spec.runtime_dir + "/root");
  const auto acceleration = choose_acceleration(find_qemu(), spec.machine, spec.runtime_dir + "/root");
  if (acceleration.kind == Accelerator::tcg) {
    sandbox.notes.push_back(fmt::format(
        "the processor is emulated (TCG), which is much slower than KVM: {}", acceleration.reason));
  }
  sandbox.cgroup =
      std::make_unique<os::Cgroup>(spec.cgroup_name, limits_of(spec, k_overhead_bytes, k_threads));
  GuestFactory factory(spec, shape_of(spec, acceleration.kind), *sandbox.cgroup, sandbox.notes);
  watch.lap("prepared");
  Starter starter(spec, factory, sandbox.notes, watch);
  auto machine = starter.start();
  os::crash_point("qemu.started");
  machine->ask_guest(protocol::to_json(enter_request(spec)), k_enter_limit);
  watch.lap("entered");
  sandbox.base_memory = starter.take_base_memory();
  sandbox.kept_key = factory.key_of_kept();
  sandbox.monitor = machine->take_monitor();
  sandbox.channel = machine->take_channel();
  sandbox.console = machine->take_console();
  auto confined = machine->take_process();
  sandbox.process = std::move(confined.process);
  sandbox.way_out = std::move(confined.way_out);
  const auto& limits_notes = sandbox.cgroup->notes();
  sandbox.notes.insert(sandbox.notes.end(), limits_notes.begin(), limits_notes.end());
  return sandbox;
}

void keep(VirtualSandbox& sandbox, const LaunchSpec& spec, const std::string& directory) {
  const RunningClone clone{
      *sandbox.monitor, sandbox.process.pid(), sandbox.base_memory.get(), state_path(spec),
      scratch_path(spec)};
  save_clone(clone, SavedGuest{directory});
  seal(SavedGuest{directory}, sandbox.kept_key);
}

} // namespace pyro::backend::qemu
