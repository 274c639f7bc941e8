#include "cgroup.hpp"

#include "directory.hpp"
#include "mount_table.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::int64_t k_cpu_period_us = 100'000;

/// Our own group in the hierarchy of this controller ("" is v2), from /proc/self/cgroup lines
/// "id:controllers:path".
std::string own_group(const std::string& controller) {
  static const auto s_text = read_file("/proc/self/cgroup");
  for (const auto view : lines_of(s_text)) {
    const std::string line(view);
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second != std::string::npos && line.substr(first + 1, second - first - 1) == controller) {
      return line.substr(second + 1);
    }
  }
  return "/";
}

bool can_make_group_in(const std::string& directory) {
  const auto probe = fmt::format("{}/pyro-probe-{}", directory, ::getpid());
  if (::mkdir(probe.c_str(), 0755) < 0) {
    return false;
  }
  ::rmdir(probe.c_str());
  return true;
}

bool has_word(const std::string& text, const std::string& word) {
  std::size_t position = 0;
  while ((position = text.find(word, position)) != std::string::npos) {
    const auto end = position + word.size();
    const bool starts = position == 0 || text[position - 1] == ' ' || text[position - 1] == ',';
    if (starts && (end == text.size() || text[end] == ' ' || text[end] == '\n' || text[end] == ',')) {
      return true;
    }
    position = end;
  }
  return false;
}

bool try_write(const std::string& path, const std::string& value) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

bool offers_limits(const std::string& directory) {
  const auto controllers = maybe_read_file(directory + "/cgroup.controllers").value_or("");
  return has_word(controllers, "memory") && has_word(controllers, "pids")
         && try_write(directory + "/cgroup.subtree_control", "+memory +pids +cpu");
}

void find_unified(const MountEntry& mount, Cgroup::Support& support) {
  // Controllers can be enabled only where no process sits: the root for root, an empty delegated group for
  // others.
  for (const auto& candidate : {mount.point, mount.point + own_group("")}) {
    if (support.unified.empty() && can_make_group_in(candidate)) {
      support.unified = candidate;
      support.unified_limits = offers_limits(candidate);
    }
  }
}

/// Of version 1, where the options of the file system name the controllers.
void find_v1(const MountEntry& mount, Cgroup::Support& support) {
  for (const std::string controller : {"memory", "pids", "cpu"}) {
    if (has_word(mount.super_options, controller)) {
      for (const auto& candidate : {mount.point + own_group(controller), mount.point}) {
        if (can_make_group_in(candidate)) {
          support.v1.emplace_back(controller, candidate);
          break;
        }
      }
    }
  }
}

} // namespace

const Cgroup::Support& Cgroup::support() {
  static const Support s_support = [] {
    Support support;
    bool any = false;
    for (const auto& mount : mount_entries()) {
      const bool is_unified = mount.type == "cgroup2";
      if (is_unified || mount.type == "cgroup") {
        any = true;
        is_unified ? find_unified(mount, support) : find_v1(mount, support);
      }
    }
    if (!any) {
      support.shortcoming = "no cgroup file system is mounted";
    } else if (!support.unified_limits && support.v1.size() < 3) {
      support.shortcoming = ::geteuid() == 0
                                ? "this machine offers no memory, pids and cpu controllers to us"
                                : "no cgroup is delegated to this user with the memory and pids controllers";
    }
    return support;
  }();
  return s_support;
}

std::vector<std::string> Cgroup::directories_for(const std::string& name) {
  std::vector<std::string> directories;
  if (!support().unified.empty()) {
    directories.push_back(fmt::format("{}/pyro-{}", support().unified, name));
  }
  for (const auto& [controller, parent] : support().v1) {
    directories.push_back(fmt::format("{}/pyro-{}", parent, name));
  }
  return directories;
}

Cgroup::Cgroup(const std::string& name, const CgroupLimits& limits) {
  const auto& offered = support();
  if (!offered.unified.empty()) {
    create_unified(name, limits);
  }
  if (!offered.unified_limits) {
    create_v1(name, limits);
  }
  if (!m_has_limits) {
    m_notes.push_back(fmt::format("cpu and memory limits are not enforced: {}", offered.shortcoming));
  }
}

Cgroup::~Cgroup() {
  remove_cgroups(m_directories);
}

void Cgroup::create_unified(const std::string& name, const CgroupLimits& limits) {
  const auto& offered = support();
  const auto directory = fmt::format("{}/pyro-{}", offered.unified, name);
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
    return;
  }
  m_unified = directory;
  m_unified_fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  m_directories.push_back(directory);
  if (!offered.unified_limits) {
    return;
  }
  m_has_limits = true;
  if (limits.memory_bytes > 0) {
    m_has_limits &= set(directory + "/memory.max", std::to_string(limits.memory_bytes));
    std::ignore = try_write(directory + "/memory.swap.max", "0"); // absent on kernels without swap accounting
  }
  if (limits.pids > 0) {
    m_has_limits &= set(directory + "/pids.max", std::to_string(limits.pids));
  }
  if (limits.cpus > 0) {
    m_has_limits &=
        set(directory + "/cpu.max", fmt::format("{} {}", limits.cpus * k_cpu_period_us, k_cpu_period_us));
  }
}

void Cgroup::create_v1(const std::string& name, const CgroupLimits& limits) {
  const auto& offered = support();
  for (const auto& [controller, parent] : offered.v1) {
    const auto directory = fmt::format("{}/pyro-{}", parent, name);
    if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
      m_notes.push_back(fmt::format("no {} limit: {} cannot be made", controller, directory));
      continue;
    }
    m_directories.push_back(directory);
    bool done = true;
    if (controller == "memory" && limits.memory_bytes > 0) {
      done = set(directory + "/memory.limit_in_bytes", std::to_string(limits.memory_bytes));
    } else if (controller == "pids" && limits.pids > 0) {
      done = set(directory + "/pids.max", std::to_string(limits.pids));
    } else if (controller == "cpu" && limits.cpus > 0) {
      done = set(directory + "/cpu.cfs_period_us", std::to_string(k_cpu_period_us))
             && set(directory + "/cpu.cfs_quota_us", std::to_string(limits.cpus * k_cpu_period_us));
    }
    m_has_limits |= done;
  }
}

bool Cgroup::set(const std::string& file, const std::string& value) {
  if (try_write(file, value)) {
    return true;
  }
  m_notes.push_back(fmt::format("limit not set: writing {} to {} failed", value, file));
  return false;
}

void Cgroup::add(pid_t pid, bool cloned_into_unified) {
  for (const auto& directory : m_directories) {
    if (cloned_into_unified && directory == m_unified) {
      continue;
    }
    if (!try_write(directory + "/cgroup.procs", std::to_string(pid))) {
      m_notes.push_back(fmt::format("the sandbox could not be moved into {}", directory));
    }
  }
}

Fd Cgroup::open_memory_events() const {
  for (const auto& directory : m_directories) {
    for (const char* name : {"/memory.events", "/memory.oom_control"}) {
      if (Fd file(::open((directory + name).c_str(), O_RDONLY | O_CLOEXEC)); file) {
        return file;
      }
    }
  }
  return {};
}

bool Cgroup::freeze() {
  if (m_unified.empty() || !try_write(m_unified + "/cgroup.freeze", "1")) {
    return false;
  }
  for (int attempt = 0; attempt < 2000; ++attempt) {
    if (maybe_read_file(m_unified + "/cgroup.events").value_or("").find("frozen 1") != std::string::npos) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  thaw();
  return false;
}

void Cgroup::thaw() {
  std::ignore =
      try_write(m_unified + "/cgroup.freeze", "0"); // nothing else can be done; a kill thaws as well
}

bool Cgroup::kill() {
  return !m_unified.empty() && try_write(m_unified + "/cgroup.kill", "1");
}

void kill_cgroups(const std::vector<std::string>& directories) {
  for (const auto& directory : directories) {
    std::ignore =
        try_write(directory + "/cgroup.kill", "1"); // v1 groups have none; their members are in v2 ones too
  }
}

void remove_cgroups(const std::vector<std::string>& directories) {
  for (const auto& directory : directories) {
    for (int attempt = 0; attempt < 200; ++attempt) {
      if (::rmdir(directory.c_str()) == 0 || errno != EBUSY) {
        break;
      }
      std::ignore = try_write(directory + "/cgroup.kill", "1");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

} // namespace pyro::os
