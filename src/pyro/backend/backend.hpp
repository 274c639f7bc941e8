// What every isolation offers to workspaces. Differences are capabilities that are asked for, never names.
#pragma once

#include "launch_spec.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pyro::backend {

/// How strong the isolation is; a spec names the least that it accepts.
enum class Isolation { host, sandbox, vm };

struct Capabilities {
  bool memory_snapshot = false;
  bool egress = false;
  bool egress_filter = false;
  bool live_resize = false;
  /// Can it show directories of this machine as they are (LaunchSpec::live_mounts)?
  bool live_mounts = false;
  /// Has it a root file system and a network of its own, made from the layers and kept off? Without, only
  /// /workspace can be looked at and reset, and set-up and prepare steps cannot be run.
  bool own_root = true;
  /// Can the writable layer be read on this machine while the sandbox runs? Otherwise its agent has to be
  /// asked.
  bool upper_on_host = true;
  /// Does it start from a kernel, with layers as images?
  bool virtual_machine = false;
  /// Is the processor emulated? Then "auto" takes it only where nothing less is accepted.
  bool emulated = false;
};

/// One line of `doctor`: what was tried, whether it works, what its absence costs and how to get it.
struct Check {
  std::string name;
  std::string level; // ok, note, warning, error
  std::string text;
  std::string hint;
};

class Backend {
public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  virtual Isolation isolation() const = 0;
  /// "sandbox", "guest_serial", ... as records and results name it (contract: fail-closed).
  virtual std::string execution_mode() const = 0;
  /// What this machine can do; every check was tried, not guessed. A check of level error makes the backend
  /// unusable.
  virtual std::vector<Check> probe() const = 0;
  virtual Capabilities capabilities() const = 0;

  /// Starts a supervisor with its sandbox and returns when the agent answers. On failure nothing is left
  /// behind.
  virtual Launched start(const LaunchSpec& spec) const = 0;
};

} // namespace pyro::backend
