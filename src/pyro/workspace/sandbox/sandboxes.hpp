// Starting, reaching and ending the sandbox of a workspace, and cleaning up after one that was killed.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/workspace/context/context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What a sandbox is started from.
struct SandboxRequest {
  /// What the supervisor gets. start_sandbox() fills in what follows from the rest and from our settings:
  /// root, layers_dir, machine, disk_project, agent_path, cgroup_name; and makes a host name of `hostname`.
  backend::LaunchSpec spec;
  std::vector<HexDigest> layers;
  std::vector<store::HostDirectory> host_directories;
  std::string saved;           // a kept machine to go on with (state/kept_memory.hpp); empty: a fresh one
  bool disk_is_locked = false; // the caller holds the lock of note_upper_elsewhere() (refresh_upper.hpp)
};

backend::Launched
start_sandbox(const Context& context, const backend::Backend& backend, SandboxRequest request);

/// Tries what the backend needs of this machine: its programs, the kernel's help, a kernel for guests.
/// Error(unavailable) with what is missing first.
void require_usable(const Context& context, const backend::Backend& backend);

/// A connection to a running sandbox's supervisor; Error(bad_state) `must be in 'started' state` where none
/// answers.
std::unique_ptr<backend::ControlClient>
connect_sandbox(const std::string& runtime_dir, const std::string& operation);

/// Taking a sandbox apart (its mounts, its network) goes on in the kernel for some time after its processes
/// were killed. `left_behind` does not wait for that: clean_up_later() must follow.
enum class Teardown { awaited, left_behind };

/// Kills the supervisor, and with it the sandbox, and removes what it had made on this machine. Fine when it
/// is gone. No process of the inside runs another instruction after this.
void kill_sandbox(const std::string& runtime_dir, Teardown teardown = Teardown::awaited);

/// Why the last sandbox there ended, in its supervisor's words; empty where it could not tell.
std::string end_reason(const std::string& runtime_dir);

/// In a child of init, which holds nothing of the caller's, above all not its locks. What it cannot do is
/// found by the garbage collection of a later command.
void in_the_background(const std::function<void()>& work);

/// Removes directories with the ids of the inside. With Detached::yes in a process of its own, off the
/// caller's path.
enum class Detached { yes, no };
void remove_trees(const std::vector<std::string>& paths, Detached detached);

/// The same for writable layers, with the limits on them (disk_quota.hpp).
void remove_generations(const Context& context, const std::vector<std::string>& paths, Detached detached);

/// Removes, in a process of its own, the trees with the limits on them, and what sandboxes killed with
/// Teardown::left_behind still hold. What a kill of that process leaves, the next kill_sandbox() removes, and
/// limits the next start.
void clean_up_later(
    const Context& context, const std::string& runtime_dir, const std::vector<std::string>& trees);

/// The same here and now, where a process that should have done it was killed.
void finish_ended(const std::string& runtime_dir);

} // namespace pyro::workspace
