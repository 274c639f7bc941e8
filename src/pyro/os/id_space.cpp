#include "id_space.hpp"

#include "fd.hpp"
#include "mount.hpp"
#include "passwd_file.hpp"
#include "process.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/text.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <numeric>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <unistd.h>

namespace pyro::os {

namespace {

/// With fewer most packages cannot be installed.
constexpr std::uint32_t k_fewest_ids = 1000;

/// $USER where /etc/passwd does not have the user. A wrong name does no harm: newuidmap(1) checks for itself
/// whose ranges these are.
std::string user_name() {
  if (const auto entry = find_in_passwd(::getuid())) {
    return entry->name;
  }
  const char* name = std::getenv("USER");
  return name ? name : "";
}

/// The first usable range of this user in /etc/subuid or /etc/subgid ("name:start:count").
std::optional<IdRange> subordinate_range(const std::string& path) {
  const auto text = maybe_read_file(path, 1 << 20).value_or("");
  const auto name = user_name();
  const auto number = std::to_string(::getuid());
  for (const auto view : lines_of(text)) {
    const std::string line(view);
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const auto owner = line.substr(0, first);
    IdRange range{1, 0, 0};
    std::from_chars(line.data() + first + 1, line.data() + second, range.outside);
    std::from_chars(line.data() + second + 1, line.data() + line.size(), range.count);
    if ((owner == name || owner == number) && range.outside > 0 && range.count >= k_fewest_ids) {
      range.count = std::min(range.count, k_id_count - 1);
      return range;
    }
  }
  return std::nullopt;
}

void write_map(pid_t pid, const char* name, std::string_view text) {
  const auto path = fmt::format("/proc/{}/{}", pid, name);
  const auto fd = open_file(path, O_WRONLY);
  write_all(fd.get(), text);
}

std::string map_text(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  }
  return text;
}

void run_map_tool(const char* tool, pid_t pid, const std::vector<IdRange>& ranges) {
  Command command{{tool, std::to_string(pid)}};
  for (const auto& range : ranges) {
    for (const auto number : {range.inside, range.outside, range.count}) {
      command.argv.push_back(std::to_string(number));
    }
  }
  run_checked(std::move(command), {}, std::chrono::seconds(10));
}

[[noreturn]] void
work_in_child(const std::function<Json()>& work, pid_t parent, int ready, int go, int answer) {
  Json message;
  try {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::unshare(CLONE_NEWUSER) < 0) {
      throw Error::from_errno(errno, "unshare(CLONE_NEWUSER)");
    }
    write_all(ready, "r");
    char mapped = 0;
    if (read_some(go, std::span(&mapped, 1)).value_or(0) != 1) {
      ::_exit(1); // the parent could not map the ids and says so itself
    }
    if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0) {
      throw Error::from_errno(errno, "setresuid(0) in the user namespace");
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // cleared by the change of ids
    if (::getppid() != parent) {
      ::_exit(1); // it died in between, and nobody else would end this
    }
    message = {{"result", work()}};
  } catch (const Error& error) {
    message = {{"error", to_json(error)}};
  } catch (const std::exception& error) {
    message = {{"error", to_json(Error(ErrorCode::internal, "{}", error.what()))}};
  }
  try {
    write_all(answer, message.dump(-1, ' ', false, Json::error_handler_t::replace));
  } catch (const Error&) {
    ::_exit(1); // nobody reads any more
  }
  ::_exit(0);
}

/// Asks the child to stop when our caller wants to, and ends it where it does not listen. True: was asked.
/// Its answer may come all the same; the wish then stands for whoever looks next.
bool wait_for_answer(int fd, pid_t pid) {
  constexpr auto k_patience = std::chrono::seconds(1);
  std::optional<std::chrono::steady_clock::time_point> asked;
  pollfd waiting{fd, POLLIN, 0};
  while (::poll(&waiting, 1, 100) <= 0) {
    if (!asked && interruption_wanted()) {
      asked = std::chrono::steady_clock::now();
      ::kill(pid, SIGTERM);
    } else if (asked && std::chrono::steady_clock::now() - *asked > k_patience) {
      ::kill(pid, SIGKILL);
    }
  }
  return asked.has_value();
}

bool has_capability(unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capget");
  }
  return (sets[capability / 32].effective >> (capability % 32) & 1U) != 0;
}

std::uint32_t count_of(const std::vector<IdRange>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), 0U, [](std::uint32_t sum, const IdRange& range) {
    return sum + range.count;
  });
}

/// What root needs for a range that nobody else has: the ids, and mounts that show files with them.
std::string why_not_shifted(std::string_view map) {
  constexpr std::uint32_t k_all_of_shifted = 0x80000000U - k_shifted_base;
  if (count_of(ids_in_map(map, k_shifted_base, k_all_of_shifted)) < k_all_of_shifted) {
    return "this container does not have the ids of root's sandboxes";
  }
  if (!has_capability(CAP_SYS_ADMIN)) {
    return "root of this container may not mount (no CAP_SYS_ADMIN)";
  }

  if (lies_on_overlay("/usr")) {
    return "the root of this container is an overlay, which cannot be mounted with other owners";
  }
  return "";
}

} // namespace

std::vector<IdRange> ids_in_map(std::string_view map, std::uint32_t first, std::uint32_t count) {
  const auto lines = lines_of(map);
  const std::uint64_t wanted = std::uint64_t{first} + count;
  std::vector<IdRange> ranges;
  bool grew = true;
  while (grew && first < wanted) {
    grew = false;
    for (const auto line : lines) {
      std::uint64_t inside = 0;
      std::uint64_t outside = 0;
      std::uint64_t length = 0;
      std::istringstream(std::string(line)) >> inside >> outside >> length;
      if (inside <= first && first < inside + length && first < wanted) {
        const auto part = static_cast<std::uint32_t>(std::min(inside + length, wanted) - first);
        ranges.push_back({first, first, part});
        first += part;
        grew = true;
      }
    }
  }
  return ranges;
}

const IdSpace& IdSpace::current() {
  static const IdSpace s_space = [] {
    IdSpace space;
    if (::geteuid() == 0) {
      const auto map = read_file("/proc/self/uid_map");
      const auto reason = why_not_shifted(map);
      return reason.empty() ? shifted_to(k_shifted_base)
                            : own_of_container(map, read_file("/proc/self/gid_map"), reason);
    }
    const auto uids = subordinate_range("/etc/subuid");
    const auto gids = subordinate_range("/etc/subgid");
    const bool tools = find_program("newuidmap") && find_program("newgidmap");
    space.m_uids = {{0, ::getuid(), 1}};
    space.m_gids = {{0, ::getgid(), 1}};
    if (uids && gids && tools) {
      space.m_kind = Kind::subordinate;
      space.m_uids.push_back(*uids);
      space.m_gids.push_back(*gids);
    } else if (!tools) {
      space.m_shortcoming =
          "newuidmap is not installed (package uidmap): only one user id exists inside sandboxes";
    } else {
      space.m_shortcoming = "no range of ids for this user in /etc/subuid and /etc/subgid: only one user id "
                            "exists inside sandboxes";
    }
    return space;
  }();
  return s_space;
}

IdSpace
IdSpace::own_of_container(std::string_view uid_map, std::string_view gid_map, const std::string& reason) {
  IdSpace space;
  space.m_own = true;
  space.m_kind = Kind::subordinate;
  space.m_uids = ids_in_map(uid_map, 0, k_id_count);
  space.m_gids = ids_in_map(gid_map, 0, k_id_count);
  space.m_shortcoming = reason;
  const bool may_map =
      has_capability(CAP_SETUID) && has_capability(CAP_SETGID) && has_capability(CAP_SETFCAP);
  if (!may_map || count_of(space.m_uids) < k_fewest_ids || count_of(space.m_gids) < k_fewest_ids) {
    space.m_kind = Kind::single;
    space.m_uids = space.m_gids = {{0, 0, 1}};
    space.m_shortcoming += ", and gives away too few ids: only one exists inside sandboxes";
  }
  return space;
}

IdSpace IdSpace::shifted_to(std::uint32_t outside) {
  IdSpace space;
  space.m_kind = Kind::shifted;
  space.m_uids = space.m_gids = {{0, outside, k_id_count}};
  return space;
}

std::uint32_t last_id(const std::vector<IdRange>& ranges) {
  return ranges.back().inside + ranges.back().count - 1;
}

void IdSpace::map_process(pid_t pid) const {
  if (m_kind == Kind::subordinate && !m_own) {
    run_map_tool("newuidmap", pid, m_uids);
    run_map_tool("newgidmap", pid, m_gids);
    return;
  }
  if (m_kind == Kind::single) {
    write_map(pid, "setgroups", "deny");
  }
  write_map(pid, "uid_map", map_text(m_uids));
  write_map(pid, "gid_map", map_text(m_gids));
}

nlohmann::json IdSpace::run(const std::function<nlohmann::json()>& work) const {
  if (m_kind == Kind::shifted) {
    return work();
  }
  auto ready = make_pipe();
  auto go = make_pipe();
  auto answer = make_pipe();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    go.write_end.reset();
    work_in_child(work, parent, ready.write_end.get(), go.read_end.get(), answer.write_end.get());
  }
  Child child(pid);
  ready.write_end.reset();
  go.read_end.reset();
  answer.write_end.reset();
  char note = 0;
  if (read_some(ready.read_end.get(), std::span(&note, 1)).value_or(0) == 1) {
    map_process(pid);
    write_all(go.write_end.get(), "g");
  }
  const bool stopped = wait_for_answer(answer.read_end.get(), pid);
  const auto text = read_all(answer.read_end.get(), std::size_t{1} << 30);
  const auto outcome = child.wait();
  if (text.empty() && stopped) {
    throw interruption_error();
  }
  if (text.empty()) {
    throw Error(
        ErrorCode::failed, "work in a user namespace ended without an answer: {}", to_string(outcome));
  }
  const auto message = parse_json(text, "the answer from the user namespace");
  if (message.contains("error")) {
    if (stopped) {
      spend_interruption(); // that is its error
    }
    throw error_from_json(message["error"]);
  }
  return message.contains("result") ? message["result"] : Json();
}

Fd namespace_with_maps(const std::vector<IdRange>& uids, const std::vector<IdRange>& gids) {
  auto ready = make_pipe();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent && ::unshare(CLONE_NEWUSER) == 0
        && ::write(ready.write_end.get(), "r", 1) == 1) {
      ::pause();
    }
    ::_exit(1);
  }
  const Child child(pid); // killed when its namespace is open
  ready.write_end.reset();
  char note = 0;
  if (read_some(ready.read_end.get(), std::span(&note, 1)).value_or(0) != 1) {
    throw Error(ErrorCode::unavailable, "no user namespace can be made for the ids of a mount");
  }
  write_map(pid, "uid_map", map_text(uids));
  write_map(pid, "gid_map", map_text(gids));
  return open_file(fmt::format("/proc/{}/ns/user", pid), O_RDONLY);
}

} // namespace pyro::os
