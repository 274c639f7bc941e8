// Before anybody reads a writable layer on this machine: where it lies on the disk of a virtual machine, its
// mirror (mirror.hpp) is brought up to date first. For every other sandbox all of this does nothing, at the
// cost of one stat(2).
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/workspace/context/context.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// From the start of a virtual machine on a generation until its last word was mirrored (a clean stop).
bool is_upper_elsewhere(const std::string& generation);

/// To be called when a virtual machine is about to start on the generation. While what it returns lives
/// nobody starts another one there.
os::ExclusiveLock note_upper_elsewhere(const std::string& generation);

/// The current writable layer of a workspace. Where its sandbox runs the agent is asked; where it was killed,
/// a machine is started for a moment to read its disk. Not within os::IdSpace::run.
void refresh_upper(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// Asks the agent of a running sandbox. Within os::IdSpace::run; `client` may be frozen.
void mirror_upper(
    backend::ControlClient& client, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories);

/// Of a sandbox that is about to be killed for good: holds it still and reads its last state.
void mirror_upper_before_kill(
    const std::string& runtime_dir, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories);

/// Of a sandbox that is about to be stopped: ends all its processes and reads what they left.
void mirror_upper_before_stop(
    const std::string& runtime_dir, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories, std::chrono::milliseconds grace);

} // namespace pyro::workspace
