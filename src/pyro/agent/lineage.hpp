// Finding and ending all processes that came from one exec or service, or all there are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::agent {

/// One line of /proc/PID/stat.
struct ProcessStat {
  pid_t pid = 0;
  char state = '?';
  pid_t parent = 0;
  pid_t session = 0;
  unsigned long long started = 0; // in ticks of the clock, since boot
  // What it takes; times in ticks.
  unsigned long long own_time = 0;
  unsigned long long childrens_time = 0; // of those that have ended and been waited for, with theirs
  std::uint64_t threads = 0;
  std::uint64_t resident_pages = 0;
};

/// By what the processes of one exec or service are known.
struct Lineage {
  pid_t leader = 0; // of the session; 0: reaped, and the number may be somebody else's by now
  std::string marker;
};

/// Everything visible in /proc.
std::vector<ProcessStat> list_processes();

/// The processes of a session (0: none) and those that carry PYRO_EXEC_ID=marker. Zombies are left out.
std::vector<pid_t> find_lineage(pid_t session, const std::string& marker);

/// Is that process, one of `all`, of this lineage? Also a descendant of the leader that has taken leave of
/// both.
bool is_of(const Lineage& lineage, const ProcessStat& process, const std::vector<ProcessStat>& all);

/// SIGKILL to all of them, again until none is left (or after a few rounds of an adversary who forks faster).
/// `leader` leads session and group; 0 once it has been reaped, for then the number may be somebody else's.
void kill_lineage(pid_t leader, const std::string& marker);

/// The value of PYRO_EXEC_ID in its environment; empty: there is none, or it cannot be read.
std::string marker_of(pid_t pid);

/// As pid 1 all processes, otherwise ourselves and our descendants, zombies too.
std::vector<ProcessStat> list_ours(bool is_init);

/// As pid 1 all other processes, otherwise our descendants; parents before their children, no zombies.
std::vector<ProcessStat> list_subjects(bool is_init);

} // namespace pyro::agent
