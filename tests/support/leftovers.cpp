#include "leftovers.hpp"

#include "files.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <sstream>
#include <unistd.h>

namespace pyro::testing {

namespace {

/// Empty where it cannot be read: the process is gone or not ours.
std::string read_if_possible(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

pid_t parent_of(pid_t pid) {
  const auto stat = read_if_possible("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  if (end == std::string::npos || end + 4 >= stat.size()) {
    return 0;
  }
  return static_cast<pid_t>(std::atoi(stat.c_str() + end + 4));
}

bool is_zombie(pid_t pid) {
  const auto stat = read_if_possible("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  return end == std::string::npos || end + 2 >= stat.size() || stat[end + 2] == 'Z';
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> all;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) {
      all.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  return all;
}

/// Arguments, environment, mounts, working directory and open files of a process (a supervisor may have given
/// itself other arguments, but writes to its log).
bool names(const fs::path& process, const std::string& text) {
  for (const auto* file : {"cmdline", "environ", "mountinfo"}) {
    if (read_if_possible(process / file).find(text) != std::string::npos) {
      return true;
    }
  }
  std::error_code gone;
  if (fs::read_symlink(process / "cwd", gone).string().find(text) != std::string::npos) {
    return true;
  }
  for (fs::directory_iterator it(process / "fd", gone), end; !gone && it != end; it.increment(gone)) {
    std::error_code closed;
    if (fs::read_symlink(it->path(), closed).string().find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

} // namespace

std::vector<pid_t> processes_naming(const std::string& text) {
  std::set<pid_t> ours;
  for (pid_t pid = ::getpid(); pid > 0; pid = parent_of(pid)) {
    ours.insert(pid);
  }
  std::map<pid_t, pid_t> parents;
  std::set<pid_t> naming;
  for (const auto pid : all_processes()) {
    if (ours.contains(pid) || is_zombie(pid)) {
      continue;
    }
    parents[pid] = parent_of(pid);
    if (names(fs::path("/proc") / std::to_string(pid), text)) {
      naming.insert(pid);
    }
  }
  // What runs inside of a sandbox names nothing of the outside, but descends from the supervisor that does.
  std::vector<pid_t> found;
  for (const auto& [pid, parent] : parents) {
    for (auto up = pid; up > 1; up = parents.contains(up) ? parents[up] : 0) {
      if (naming.contains(up)) {
        found.push_back(pid);
        break;
      }
    }
  }
  return found;
}

std::vector<pid_t> processes_in_groups_of(const std::set<std::string>& ids) {
  std::vector<pid_t> found;
  for (const auto pid : all_processes()) {
    const auto groups = read_if_possible("/proc/" + std::to_string(pid) + "/cgroup");
    if (!is_zombie(pid) && std::any_of(ids.begin(), ids.end(), [&](const auto& id) {
          return groups.find("pyro-" + id) != std::string::npos;
        })) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<std::string> mounts_naming(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream in(read_if_possible("/proc/self/mountinfo"));
  for (std::string line; std::getline(in, line);) {
    if (line.find(text) != std::string::npos) {
      found.push_back(line);
    }
  }
  return found;
}

std::vector<std::string> cgroups_naming(const std::set<std::string>& ids) {
  std::vector<std::string> found;
  std::error_code gone;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator("/sys/fs/cgroup", options, gone);
       it != fs::recursive_directory_iterator(); it.increment(gone)) {
    if (gone || !it->is_directory(gone)) {
      continue;
    }
    const auto name = it->path().filename().string();
    if (std::any_of(
            ids.begin(), ids.end(), [&](const auto& id) { return name.find(id) != std::string::npos; })) {
      found.push_back(it->path().string());
    }
  }
  return found;
}

std::string describe(pid_t pid) {
  auto arguments = read_if_possible("/proc/" + std::to_string(pid) + "/cmdline");
  std::replace(arguments.begin(), arguments.end(), '\0', ' ');
  return std::to_string(pid) + " " + arguments;
}

std::vector<std::string>
leftovers(const std::string& state_directory, const std::set<std::string>& workspace_ids) {
  std::vector<std::string> found;
  for (const auto pid : processes_naming(state_directory)) {
    found.push_back("process " + describe(pid));
  }
  for (const auto pid : processes_in_groups_of(workspace_ids)) {
    found.push_back("process in a group " + describe(pid));
  }
  for (const auto& mount : mounts_naming(state_directory)) {
    found.push_back("mount " + mount);
  }
  for (const auto& group : cgroups_naming(workspace_ids)) {
    found.push_back("cgroup " + group);
  }
  std::error_code none;
  for (const auto* folder : {"workspaces", "store/staging"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(state_directory) / folder, none)) {
      found.push_back("file " + entry.path().string());
    }
  }
  return found;
}

} // namespace pyro::testing
