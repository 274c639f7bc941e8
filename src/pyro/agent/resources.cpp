#include "resources.hpp"

#include <pyro/os/resource_use.hpp>

#include <sys/statvfs.h>

#include <unistd.h>

namespace pyro::agent {

namespace {

/// Of several processes, each counted for itself.
class Sum {
public:
  void add(const ProcessStat& process) {
    static const auto s_page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    m_ticks += process.own_time + process.childrens_time;
    m_bytes += process.resident_pages * s_page;
    const bool has_ended = process.state == 'Z' || process.state == 'X';
    m_threads += has_ended ? 0 : process.threads;
  }

  ResourceUse use() const {
    ResourceUse use;
    use.cpu = CpuUse{CountedBy::processes, os::usec_of_ticks(m_ticks), std::nullopt};
    use.memory = MemoryUse{CountedBy::processes, m_bytes, std::nullopt, std::nullopt, std::nullopt};
    use.pids = PidsUse{CountedBy::processes, m_threads, std::nullopt};
    return use;
  }

private:
  std::uint64_t m_ticks = 0;
  std::uint64_t m_bytes = 0;
  std::uint64_t m_threads = 0;
};

std::optional<protocol::DiskUse> disk_at(const std::string& directory) {
  struct statvfs system {};

  if (directory.empty() || ::statvfs(directory.c_str(), &system) < 0) {
    return std::nullopt;
  }
  return protocol::DiskUse{
      (system.f_blocks - system.f_bfree) * system.f_frsize, system.f_blocks * system.f_frsize};
}

} // namespace

std::map<pid_t, std::string> services_of(
    const std::vector<ProcessStat>& processes, const std::map<std::string, Lineage>& services,
    const std::function<std::string(pid_t)>& marker_of) {
  std::map<pid_t, std::string> by_leader;
  std::map<std::string, std::string> by_marker;
  for (const auto& [name, lineage] : services) {
    if (lineage.leader > 0) {
      by_leader[lineage.leader] = name;
    }
    by_marker[lineage.marker] = name;
  }
  std::map<pid_t, const ProcessStat*> by_pid;
  for (const auto& process : processes) {
    by_pid[process.pid] = &process;
  }
  std::map<pid_t, std::string> found;
  for (const auto& process : processes) {
    // Up to one whose service is known, or that has lost its own parent; /proc was not read at one instant,
    // so that it may look like a circle.
    std::vector<pid_t> way;
    std::string service;
    const auto* next = &process;
    while (way.size() <= processes.size()) {
      if (const auto known = found.find(next->pid); known != found.end()) {
        service = known->second;
        break;
      }
      way.push_back(next->pid);
      const auto leader = by_leader.find(by_leader.contains(next->pid) ? next->pid : next->session);
      if (leader != by_leader.end()) {
        service = leader->second;
        break;
      }
      const auto parent = by_pid.find(next->parent);
      if (parent == by_pid.end() || parent->first == ::getpid()) {
        const auto marked = next->pid == ::getpid() ? by_marker.end() : by_marker.find(marker_of(next->pid));
        service = marked == by_marker.end() ? "" : marked->second;
        break;
      }
      next = parent->second;
    }
    for (const auto pid : way) {
      found[pid] = service;
    }
  }
  std::erase_if(found, [](const auto& entry) { return entry.second.empty(); });
  return found;
}

protocol::Resources resources_of(const Runtime& runtime) {
  const auto processes = list_ours(runtime.is_init);
  const auto services = services_of(processes, runtime.services, marker_of);
  Sum all;
  std::map<std::string, Sum> sums;
  for (const auto& process : processes) {
    all.add(process);
    if (const auto service = services.find(process.pid); service != services.end()) {
      sums[service->second].add(process);
    }
  }
  protocol::Resources resources;
  resources.whole = runtime.is_guest ? os::use_of_machine().completed_by(all.use()) : all.use();
  for (const auto& [name, sum] : sums) {
    resources.services[name] = sum.use();
  }
  resources.disk = runtime.is_guest ? disk_at(runtime.upper_dir) : std::nullopt;
  return resources;
}

} // namespace pyro::agent
