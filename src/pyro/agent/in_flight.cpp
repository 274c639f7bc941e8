#include "in_flight.hpp"

#include "lineage.hpp"

#include <pyro/base/text.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace pyro::agent {

namespace {

struct PipeEnd {
  int fd = -1;
  PipeId pipe;
  bool reads = false;
  bool writes = false;
};

std::optional<PipeId> pipe_of(const struct stat& status) {
  return S_ISFIFO(status.st_mode) ? std::optional<PipeId>({status.st_dev, status.st_ino}) : std::nullopt;
}

/// None of a process that is gone or not ours to look at.
std::vector<PipeEnd> pipe_ends(pid_t pid) {
  const auto path = "/proc/" + std::to_string(pid) + "/fd";
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  std::vector<PipeEnd> ends;
  while (auto* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    const auto fd = whole_number<int>(name);

    struct stat target {};

    struct stat link {};

    if (!fd || ::fstatat(::dirfd(directory.get()), entry->d_name, &target, 0) < 0 || !S_ISFIFO(target.st_mode)
        || ::fstatat(::dirfd(directory.get()), entry->d_name, &link, AT_SYMLINK_NOFOLLOW) < 0) {
      continue;
    }
    PipeEnd end;
    end.fd = *fd;
    end.pipe = *pipe_of(target);
    end.reads = (link.st_mode & S_IRUSR) != 0; // proc(5): the mode of the link is that of the open file
    end.writes = (link.st_mode & S_IWUSR) != 0;
    ends.push_back(end);
  }
  return ends;
}

struct Candidate {
  pid_t pid = 0;
  std::vector<PipeId> feeds; // one of them is enough
  bool holds_output = false;
  bool may_write_itself = false;
};

std::vector<Candidate>
find_candidates(const PipesOfCommand& command, Forked forked, const std::vector<ProcessStat>& processes) {
  std::vector<Candidate> found;
  for (const auto& process : processes) {
    if (process.session != command.session || process.state == 'Z' || process.state == 'X') {
      continue;
    }
    Candidate candidate;
    candidate.pid = process.pid;
    candidate.may_write_itself = forked == Forked::just_now && (process.state == 'R' || process.state == 'D');
    for (const auto& end : pipe_ends(process.pid)) {
      const bool is_feed =
          end.reads && end.pipe != command.input && (end.fd == 0 || candidate.may_write_itself);
      if (is_feed) {
        candidate.feeds.push_back(end.pipe);
      }
      candidate.holds_output = candidate.holds_output
                               || (end.writes
                                   && std::find(command.outputs.begin(), command.outputs.end(), end.pipe)
                                          != command.outputs.end());
    }
    if (!candidate.feeds.empty()) {
      found.push_back(std::move(candidate));
    }
  }
  return found;
}

std::map<PipeId, std::set<pid_t>> find_writers(const std::vector<ProcessStat>& processes) {
  std::map<PipeId, std::set<pid_t>> writers;
  for (const auto& process : processes) {
    for (const auto& end : pipe_ends(process.pid)) {
      if (end.writes) {
        writers[end.pipe].insert(process.pid);
      }
    }
  }
  return writers;
}

} // namespace

std::optional<PipeId> pipe_of(int fd) {
  struct stat status {};

  return ::fstat(fd, &status) == 0 ? pipe_of(status) : std::nullopt;
}

bool is_in_flight(const PipesOfCommand& command, Forked forked) {
  const auto processes = list_processes();
  const auto candidates = find_candidates(command, forked, processes);
  if (std::none_of(candidates.begin(), candidates.end(), [](auto& one) { return one.holds_output; })) {
    return false;
  }
  auto writers = find_writers(processes);
  // Grows from those that nobody feeds: two daemons that feed each other never get in.
  std::set<pid_t> filters;
  for (bool grows = true; grows;) {
    grows = false;
    for (const auto& candidate : candidates) {
      const auto ends_with_us = [&](const PipeId& feed) {
        const auto& those = writers[feed];
        return std::all_of(those.begin(), those.end(), [&](pid_t pid) {
          return filters.contains(pid) || (candidate.may_write_itself && pid == candidate.pid);
        });
      };
      if (std::any_of(candidate.feeds.begin(), candidate.feeds.end(), ends_with_us)) {
        if (candidate.holds_output) {
          return true;
        }
        grows = filters.insert(candidate.pid).second || grows;
      }
    }
  }
  return false;
}

} // namespace pyro::agent
