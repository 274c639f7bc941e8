#include "lineage.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <dirent.h>
#include <memory>
#include <set>
#include <string_view>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr int k_kill_rounds = 16;
/// PF_KTHREAD of the kernel's sched.h, in /proc/PID/stat: seen where we are the first process of a machine.
constexpr unsigned k_kernel_thread = 0x00200000;
/// More than the kernel takes of a stack of any size.
constexpr std::size_t k_max_environment = 8 << 20;

std::string read_proc(pid_t pid, const char* name, std::size_t limit) {
  try {
    return os::maybe_read_file("/proc/" + std::to_string(pid) + "/" + name, limit).value_or("");
  } catch (const Error&) {
    return {}; // gone meanwhile, or not ours to read
  }
}

bool carries(pid_t pid, const std::string& marker) {
  auto environment = read_proc(pid, "environ", k_max_environment);
  auto wanted = "PYRO_EXEC_ID=" + marker + '\0';
  std::string_view text(environment);
  if (text.starts_with(wanted)) {
    return true;
  }
  return text.find('\0' + wanted) != std::string_view::npos;
}

} // namespace

std::vector<ProcessStat> list_processes() {
  std::vector<ProcessStat> processes;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
  while (auto* entry = directory ? ::readdir(directory.get()) : nullptr) {
    std::string_view name(entry->d_name);
    const auto pid = whole_number<pid_t>(name);
    if (!pid) {
      continue;
    }
    ProcessStat process;
    process.pid = *pid;
    auto text = read_proc(process.pid, "stat", 4096);
    auto after_name = text.rfind(')'); // the name may hold anything, parentheses too
    int group = 0;
    unsigned flags = 0;
    unsigned long long user = 0;
    unsigned long long system = 0;
    unsigned long long childrens_user = 0;
    unsigned long long childrens_system = 0;
    if (after_name == std::string::npos
        || std::sscanf(
               text.c_str() + after_name + 1,
               " %c %d %d %d %*d %*d %u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d %" SCNu64
               " %*d %llu %*u %" SCNu64,
               &process.state, &process.parent, &group, &process.session, &flags, &user, &system,
               &childrens_user, &childrens_system, &process.threads, &process.started,
               &process.resident_pages)
               != 12
        || (flags & k_kernel_thread) != 0) {
      continue;
    }
    process.own_time = user + system;
    process.childrens_time = childrens_user + childrens_system;
    processes.push_back(process);
  }
  return processes;
}

std::vector<pid_t> find_lineage(pid_t session, const std::string& marker) {
  std::vector<pid_t> found;
  for (auto& process : list_processes()) {
    if (process.pid == ::getpid() || process.state == 'Z' || process.state == 'X') {
      continue;
    }
    if ((session > 0 && process.session == session) || carries(process.pid, marker)) {
      found.push_back(process.pid);
    }
  }
  return found;
}

bool is_of(const Lineage& lineage, const ProcessStat& process, const std::vector<ProcessStat>& all) {
  if (lineage.leader > 0 && (process.session == lineage.leader || process.pid == lineage.leader)) {
    return true;
  }
  if (carries(process.pid, lineage.marker)) {
    return true;
  }
  auto ancestor = process.parent;
  for (std::size_t steps = 0; lineage.leader > 0 && ancestor > 1 && steps < all.size(); ++steps) {
    if (ancestor == lineage.leader) {
      return true;
    }
    const auto found =
        std::find_if(all.begin(), all.end(), [&](auto& other) { return other.pid == ancestor; });
    ancestor = found == all.end() ? 0 : found->parent;
  }
  return false;
}

void kill_lineage(pid_t leader, const std::string& marker) {
  if (leader > 0) {
    ::kill(-leader, SIGKILL);
  }
  std::set<pid_t> known;
  for (int round = 0; round < k_kill_rounds; ++round) {
    bool any_new = false;
    for (auto pid : find_lineage(leader, marker)) {
      ::kill(pid, SIGKILL);
      any_new = known.insert(pid).second || any_new;
    }
    if (!any_new) {
      return;
    }
  }
}

std::string marker_of(pid_t pid) {
  constexpr std::string_view k_key = "PYRO_EXEC_ID=";
  const auto environment = read_proc(pid, "environ", k_max_environment);
  std::string_view text(environment);
  while (!text.empty()) {
    const auto end = std::min(text.find('\0'), text.size());
    if (text.starts_with(k_key)) {
      return std::string(text.substr(k_key.size(), end - k_key.size()));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

std::vector<ProcessStat> list_ours(bool is_init) {
  auto all = list_processes();
  if (is_init) {
    return all;
  }
  std::set<pid_t> ours{::getpid()};
  for (std::size_t before = 0; before != ours.size();) {
    before = ours.size();
    for (auto& process : all) {
      if (ours.contains(process.parent)) {
        ours.insert(process.pid);
      }
    }
  }
  std::erase_if(all, [&](auto& process) { return !ours.contains(process.pid); });
  return all;
}

std::vector<ProcessStat> list_subjects(bool is_init) {
  auto subjects = list_ours(is_init);
  std::erase_if(subjects, [](auto& process) {
    return process.state == 'Z' || process.state == 'X' || process.pid == ::getpid();
  });
  std::sort(subjects.begin(), subjects.end(), [](auto& a, auto& b) { return a.pid < b.pid; });
  return subjects;
}

} // namespace pyro::agent
