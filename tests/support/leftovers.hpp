// What the machine still holds of a pyro state directory: asked of the kernel, not of pyro.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace pyro::testing {

/// Processes whose arguments, environment, mounts or open files name `text`, and their descendants; ourselves
/// and our ancestors left out.
std::vector<pid_t> processes_naming(const std::string& text);
/// Processes in control groups of these workspaces: also finds those whose supervisor is gone.
std::vector<pid_t> processes_in_groups_of(const std::set<std::string>& ids);
/// Mount points of ours whose line in /proc/self/mountinfo names `text`.
std::vector<std::string> mounts_naming(const std::string& text);
/// Directories below /sys/fs/cgroup whose name contains one of the ids.
std::vector<std::string> cgroups_naming(const std::set<std::string>& ids);
/// "1234 pyro-supervisor --home …", for messages.
std::string describe(pid_t pid);

/// All of these, and what lies in the state directory's staging and workspaces, one line each.
std::vector<std::string>
leftovers(const std::string& state_directory, const std::set<std::string>& workspace_ids);

} // namespace pyro::testing
