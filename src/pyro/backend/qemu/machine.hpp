// One QEMU process: started, loaded with a saved guest or booted, saved, stopped.
#pragma once

#include "arguments.hpp"
#include "confinement.hpp"
#include "qmp.hpp"

#include <pyro/protocol/guest_boot.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// The files of one machine, on this side.
struct MachineFiles {
  std::string kernel;
  std::string initrd;
  std::string images;              // raw disk or descriptor, as StartMode says
  std::vector<SharedFile> extents; // what the descriptor names
  std::string scratch;
  std::string memory; // empty with Memory::anonymous
  std::string state;  // to be written where the guest is saved; empty: it cannot be
};

class Machine {
public:
  /// `network`: ConfinedCommand's.
  Machine(
      const std::string& program, const MachineShape& shape, const StartMode& mode, const MachineFiles& files,
      const std::string& staging, os::Cgroup& cgroup, const LaunchSpec* network);

  /// Waits until its QEMU can be talked to.
  void await_monitor(std::chrono::milliseconds limit);
  /// The guest goes on from a saved state (StartMode::incoming).
  void load(int state, std::chrono::milliseconds limit);

  void resume() { m_qmp->execute("cont"); }

  /// Stops the guest and writes its devices' state; the memory is in its file.
  void save();

  /// The guest's first word, as protocol/guest_boot.hpp has it.
  void await_guest(std::chrono::milliseconds limit);
  /// One request of the boot protocol; throws the guest's Error.
  void ask_guest(const Json& request, std::chrono::milliseconds limit);

  os::Fd take_channel() { return std::move(m_channel); }

  os::Fd take_console() { return std::move(m_console); }

  Qmp take_monitor() { return std::move(*m_qmp); }

  os::Child& process() { return m_confined.process; }

  Confined take_process() { return std::move(m_confined); }

private:
  /// An error comes with what the kernel said last.
  template <typename Exchange>
  void with_last_words(Exchange&& exchange);
  std::vector<std::string> last_words() const;

  Confined m_confined;
  os::Fd m_channel;
  os::Fd m_console;
  std::optional<Qmp> m_qmp;
};

} // namespace pyro::backend::qemu
