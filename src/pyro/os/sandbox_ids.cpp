#include "sandbox_ids.hpp"

#include "directory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <linux/capability.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace pyro::os {

namespace {

/// One for all state directories of the machine; a file per range, locked while the range is in use.
constexpr const char* k_claims = "/run/pyro/ids";

/// As many as lie below 2^31, beyond which some programs take ids for negative. The first is
/// IdSpace::current().
constexpr std::uint32_t k_ranges = (0x80000000U - k_shifted_base) / k_id_count;

struct Taken {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
};

/// Ids of our ranges that the machine has given to somebody: lines of "name:x:id:..." or "name:first:count".
void add_taken(std::vector<Taken>& taken, const std::string& path, bool is_range) {
  const auto text = maybe_read_file(path, 16 << 20).value_or("");
  for (const auto line : lines_of(text)) {
    const auto fields = fields_of(line, ':');
    if (fields.size() < 3) {
      continue;
    }
    const auto number = [](const std::string& digits) {
      std::uint64_t value = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
      return value;
    };
    const Taken one{number(fields[is_range ? 1 : 2]), is_range ? number(fields[2]) : 1};
    if (one.first + one.count > k_shifted_base) {
      taken.push_back(one);
    }
  }
}

std::vector<Taken> taken_by_machine() {
  std::vector<Taken> taken;
  for (const auto* path : {"/etc/passwd", "/etc/group"}) {
    add_taken(taken, path, false);
  }
  for (const auto* path : {"/etc/subuid", "/etc/subgid"}) {
    add_taken(taken, path, true);
  }
  return taken;
}

Fd open_claims() {
  make_directories(k_claims, 0700);
  auto directory = open_file(k_claims, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

  struct stat status {};

  if (::fstat(directory.get(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("stat {}", k_claims));
  }
  if (status.st_uid != 0 || (status.st_mode & 0077) != 0) {
    throw Error(ErrorCode::permission, "{} must belong to root alone (mode 0700)", k_claims)
        .with_hint(fmt::format("look who made it, then: rm -r {}", k_claims));
  }
  return directory;
}

/// The file that holds the range, locked.
Fd claim(std::uint32_t& outside) {
  const auto directory = open_claims();
  const auto taken = taken_by_machine();
  for (std::uint32_t index = 1; index < k_ranges; ++index) {
    outside = k_shifted_base + index * k_id_count;
    const auto is_taken = [&](const Taken& one) {
      return one.first < std::uint64_t{outside} + k_id_count && outside < one.first + one.count;
    };
    if (std::any_of(taken.begin(), taken.end(), is_taken)) {
      continue;
    }
    auto file = open_at(directory.get(), std::to_string(index), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      return file;
    }
    if (errno != EWOULDBLOCK) {
      throw Error::from_errno(errno, fmt::format("lock {}/{}", k_claims, index));
    }
  }
  throw Error(ErrorCode::unavailable, "no range of user ids is free for another sandbox on this machine")
      .with_hint(fmt::format(
          "{} sandboxes run, or /etc/subuid gives ids above {} to others", k_ranges - 1, k_shifted_base));
}

void raise_all_permitted() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capget");
  }
  for (auto& set : sets) {
    set.effective = set.permitted;
  }
  if (::syscall(SYS_capset, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capset");
  }
}

/// What a limit is for as long as this lives, in this process. The kernel copies some into a new user
/// namespace, where they hold for all of it.
class LoweredLimit {
public:
  LoweredLimit(__rlimit_resource resource, rlim_t most) : m_resource(resource) {
    if (::getrlimit(resource, &m_before) < 0) {
      throw Error::from_errno(errno, "getrlimit");
    }
    set({std::min(m_before.rlim_cur, most), m_before.rlim_max});
  }

  static rlim_t half_of(__rlimit_resource resource) {
    rlimit now{};
    std::ignore = ::getrlimit(resource, &now);
    return now.rlim_cur == RLIM_INFINITY ? RLIM_INFINITY : now.rlim_cur / 2;
  }

  void restore() { set(m_before); }

private:
  void set(const rlimit& limit) const {
    if (::setrlimit(m_resource, &limit) < 0) {
      throw Error::from_errno(errno, "setrlimit");
    }
  }

  __rlimit_resource m_resource;
  rlimit m_before{};
};

/// Is somebody else, as far as the kernel counts; for files, and by its capabilities, root all the while.
class Disguise {
public:
  explicit Disguise(uid_t uid) : m_parent(::getppid()), m_dumpable(::prctl(PR_GET_DUMPABLE)) {
    ::prctl(PR_GET_PDEATHSIG, &m_death_signal);
    if (::setresuid(uid, uid, 0) < 0) {
      throw Error::from_errno(errno, fmt::format("setresuid {}", uid));
    }
  }

  void keep_powers() const {
    ::setfsuid(0);
    raise_all_permitted();
  }

  /// Throws where it does not work: nothing may go on with the wrong ids.
  void end() const {
    if (::setresuid(0, 0, 0) < 0) {
      throw Error::from_errno(errno, "setresuid 0");
    }
    // A change of ids takes both away.
    ::prctl(PR_SET_DUMPABLE, m_dumpable);
    ::prctl(PR_SET_PDEATHSIG, m_death_signal);
    if (m_death_signal != 0 && ::getppid() != m_parent) {
      ::raise(m_death_signal); // it came in between
    }
  }

private:
  pid_t m_parent;
  int m_dumpable;
  int m_death_signal = 0;
};

/// The agent's own, and what serves the sandbox's network.
constexpr rlim_t k_processes_of_ours = 32;

} // namespace

SandboxIds::SandboxIds(std::int64_t pids) : m_pids(pids), m_space(IdSpace::current()) {
  if (m_space.kind() == IdSpace::Kind::shifted) {
    std::uint32_t outside = 0;
    m_claim = claim(outside);
    m_space = IdSpace::shifted_to(outside);
  }
}

pid_t SandboxIds::count_for_it(const std::function<pid_t()>& clone) const {
  std::vector<LoweredLimit> limits;
  std::optional<Disguise> disguise;
  const auto restore = [&] {
    if (disguise) {
      disguise->end();
    }
    for (auto& limit : limits) {
      limit.restore();
    }
  };
  try {
    if (m_space.kind() != IdSpace::Kind::shifted) {
      for (const auto resource : {RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK}) {
        limits.emplace_back(resource, LoweredLimit::half_of(resource));
      }
    } else {
      if (m_pids > 0) {
        limits.emplace_back(RLIMIT_NPROC, static_cast<rlim_t>(m_pids) + k_processes_of_ours);
      }
      disguise.emplace(m_space.uids().front().outside);
      disguise->keep_powers();
    }
    const pid_t pid = clone();
    if (pid != 0) {
      restore();
    }
    return pid;
  } catch (const Error&) {
    restore();
    throw;
  }
}

} // namespace pyro::os
