#include "disk_watch.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <limits>
#include <sched.h>
#include <unistd.h>

namespace pyro::supervisor {

namespace {

/// Writers that are refused try again and again.
constexpr std::chrono::minutes k_between_refusals{1};

/// The number after "write_bytes: "; what was cancelled (truncated before it was on the disk) is not taken
/// off, which only means one look more.
std::uint64_t written_by(int proc, const std::string& process) {
  const os::Fd file(::openat(proc, (process + "/io").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  const auto length = file ? ::read(file.get(), text.data(), text.size()) : 0;
  constexpr std::string_view k_key = "\nwrite_bytes: ";
  const std::string_view all(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  const auto at = all.find(k_key);
  std::uint64_t bytes = 0;
  if (at != std::string_view::npos) {
    std::from_chars(all.data() + at + k_key.size(), all.data() + all.size(), bytes);
  }
  return bytes;
}

/// What is on the host's path root/upper/a is /a inside, and usr/upper/a is /usr/a.
std::string inside_path(const std::string& path) {
  const auto slash = path.find('/');
  const auto part = path.substr(0, slash);
  constexpr std::string_view k_upper = "/upper/";
  if (slash == std::string::npos || path.compare(slash, k_upper.size(), k_upper) != 0) {
    return "";
  }
  const auto rest = path.substr(slash + k_upper.size());
  return part == "root" ? "/" + rest : "/" + part + "/" + rest;
}

Json count(int directory, int proc, int user_namespace) {
  try {
    if (user_namespace >= 0 && ::setns(user_namespace, CLONE_NEWUSER) < 0) {
      throw Error::from_errno(errno, "enter the sandbox's user namespace");
    }
    const auto tree = os::usage_of_tree(directory);
    const auto deleted = proc >= 0 ? os::usage_of_deleted_files(proc) : os::TreeUsage{};
    return {
        {"bytes", tree.bytes + deleted.bytes},
        {"entries", tree.entries + deleted.entries},
        {"largest", inside_path(tree.largest)},
        {"largest_bytes", tree.largest_bytes}};
  } catch (const std::exception& error) {
    return {{"trouble", error.what()}};
  }
}

/// As a file would say it: 64MiB.
std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t k_mib = 1 << 20;
  return bytes % (k_mib << 10) == 0 ? fmt::format("{}GiB", bytes / (k_mib << 10))
         : bytes % k_mib == 0       ? fmt::format("{}MiB", bytes / k_mib)
                                    : fmt::format("{}", bytes);
}

os::Fd open_of_process(pid_t process, const char* name, int flags) {
  return os::Fd(::open(fmt::format("/proc/{}/{}", process, name).c_str(), flags | O_RDONLY | O_CLOEXEC));
}

std::uint64_t size_of_file_system(int directory) {
  struct statvfs system {};

  return ::fstatvfs(directory, &system) == 0 ? system.f_blocks * system.f_frsize : 0;
}

/// Limits for the policy of a sandbox that the file system itself holds: only the reserve is left to watch.
DiskLimits only_reserve_of(const DiskLimits& limits) {
  constexpr auto k_endless = std::numeric_limits<std::uint64_t>::max() / 4;
  return {k_endless, k_endless, limits.reserve};
}

} // namespace

DiskWatch::DiskWatch(
    os::EventLoop& loop, const std::string& directory, pid_t first_process, std::uint64_t limit_bytes,
    os::ProjectId project, Hooks hooks)
    : m_loop(loop), m_answer(loop), m_directory(os::open_directory(directory)),
      m_parent(os::open_directory_at(m_directory.get(), "..")),
      m_proc(open_of_process(first_process, "root/proc", O_DIRECTORY)),
      m_user_namespace(::geteuid() == 0 ? os::Fd() : open_of_process(first_process, "ns/user", 0)),
      m_hooks(std::move(hooks)), m_limits(disk_limits_of(limit_bytes, size_of_file_system(m_parent.get()))),
      m_policy(project == 0 ? m_limits : only_reserve_of(m_limits)) {
  if (project != 0) {
    m_quota.emplace(m_directory.get(), project);
    m_quota->set_limits(m_limits);
  }
}

DiskWatch::~DiskWatch() {
  m_loop.cancel(m_timer);
  end_look();
}

void DiskWatch::begin() {
  rest();
}

void DiskWatch::set_limit(std::uint64_t bytes) {
  m_limits = disk_limits_of(bytes, size_of_file_system(m_parent.get()));
  m_policy.set_limits(m_quota ? only_reserve_of(m_limits) : m_limits);
  if (m_quota) {
    m_quota->set_limits(m_limits);
    m_reached = nullptr; // it said what the limit was
  }
}

void DiskWatch::rest() {
  m_timer = m_loop.after(m_policy.pause(), [this] {
    m_timer = 0;
    tick();
  });
}

FileSystemState DiskWatch::file_system() const {
  struct statvfs system {};

  if (::fstatvfs(m_parent.get(), &system) < 0) {
    return {};
  }
  return {
      (system.f_blocks - system.f_bfree) * system.f_frsize, system.f_files - system.f_ffree,
      system.f_bavail * system.f_frsize};
}

std::optional<std::uint64_t> DiskWatch::written() const {
  const os::Fd proc(m_proc ? ::openat(m_proc.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
  if (!proc || ::faccessat(proc.get(), "1/io", R_OK, 0) < 0) {
    return std::nullopt;
  }
  std::uint64_t bytes = 0;
  for (const auto& name : os::names_in(proc.get())) {
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      bytes += written_by(proc.get(), name);
    }
  }
  return bytes;
}

/// What cannot be done now (no descriptors, no memory) is tried again; the sandbox must not end by it.
void DiskWatch::tick() {
  try {
    take_step();
  } catch (const Error& error) {
    m_trouble = error.what();
    end_look();
    rest();
  }
}

void DiskWatch::take_step() {
  if (m_quota) {
    look_at_quota();
  }
  switch (m_policy.next(os::now_monotonic(), file_system(), [this] { return written(); })) {
  case DiskPolicy::Step::rest:
    rest();
    break;
  case DiskPolicy::Step::look:
    look(false);
    break;
  case DiskPolicy::Step::look_frozen:
    look(true);
    break;
  case DiskPolicy::Step::stop_for_reserve:
    stop(
        {"disk_reserve", fmt::format(
                             "the file system that holds the workspace has less than {} left",
                             format_bytes(m_limits.reserve))});
    break;
  }
}

/// Costs a few system calls, so that it is done at every step and wherever somebody wants to know.
void DiskWatch::look_at_quota() {
  try {
    const auto use = m_quota->use();
    const auto refused = m_quota->refused(use);
    const auto now = os::now_monotonic();
    m_usage = {use.bytes, use.entries, "", 0};
    m_looked_at = os::now_epoch();
    m_trouble.clear();
    std::ignore = m_policy.looked(now, std::chrono::milliseconds(0), m_usage);
    if (refused) {
      const bool by_entries = *refused == DiskQuota::Refused::entries;
      const LimitStop what{by_entries ? "disk_entries" : "disk_limit", reached_text(by_entries)};
      m_reached = {
          {"at", m_looked_at},
          {"code", what.code},
          {"reason", what.reason},
          {"used_bytes", use.bytes},
          {"used_entries", use.entries}};
      if (m_told_at.count() == 0 || now - m_told_at > k_between_refusals) {
        m_told_at = now;
        m_hooks.refused(what);
      }
    }
  } catch (const Error& error) {
    m_trouble = error.what();
  }
}

void DiskWatch::look(bool frozen) {
  if (m_quota) { // done with the step
    rest();
    return;
  }
  m_is_frozen = frozen && m_hooks.freeze();
  m_began = os::now_monotonic();
  const std::vector<int> kept{m_directory.get(), m_proc.get(), m_user_namespace.get()};
  try {
    m_answer.begin(
        kept, [this] { return count(m_directory.get(), m_proc.get(), m_user_namespace.get()); },
        [this](const std::string& text) { on_answer(text); });
  } catch (const Error& error) {
    m_trouble = fmt::format("{} to count what the sandbox wrote", error.message());
    end_look();
    rest();
  }
}

void DiskWatch::on_answer(const std::string& text) {
  const auto now = os::now_monotonic();
  auto verdict = DiskPolicy::Verdict::within;
  try {
    const auto answer = parse_json(text, "the count of the sandbox's files");
    m_trouble = string_or(answer, "trouble", "");
    if (m_trouble.empty()) {
      m_usage = {
          static_cast<std::uint64_t>(get_int(answer, "bytes")),
          static_cast<std::uint64_t>(get_int(answer, "entries")), string_or(answer, "largest", ""),
          static_cast<std::uint64_t>(get_int(answer, "largest_bytes"))};
      m_looked_at = os::now_epoch();
    }
    verdict = m_policy.looked(now, now - m_began, m_usage);
  } catch (const Error&) {
    m_trouble = "the count of the sandbox's files was not finished";
    verdict = m_policy.looked(now, now - m_began, m_usage);
  }
  judge(verdict);
  end_look();
}

void DiskWatch::end_look() {
  m_answer.end();
  if (std::exchange(m_is_frozen, false)) {
    m_hooks.thaw();
  }
}

std::string DiskWatch::limit_text() const {
  return fmt::format("environment.resources.disk = {}", size_text(m_limits.bytes));
}

std::string DiskWatch::reached_text(bool by_entries) const {
  return by_entries ? fmt::format(
             "the workspace's limit of {} files ({}) is reached", m_limits.entries, limit_text())
                    : fmt::format("the workspace's disk limit ({}) is reached", limit_text());
}

void DiskWatch::judge(DiskPolicy::Verdict verdict) {
  switch (verdict) {
  case DiskPolicy::Verdict::within:
    rest();
    break;
  case DiskPolicy::Verdict::too_many_bytes:
    stop({"disk_limit", reached_text(false)});
    break;
  case DiskPolicy::Verdict::too_many_entries:
    stop({"disk_entries", reached_text(true)});
    break;
  }
}

void DiskWatch::stop(LimitStop what) {
  m_event = {
      {"at", os::now_epoch()},
      {"code", what.code},
      {"reason", what.reason},
      {"used_bytes", m_usage.bytes},
      {"used_entries", m_usage.entries},
      {"largest_file", m_usage.largest},
      {"largest_file_bytes", m_usage.largest_bytes}};
  m_hooks.stop(what, [this] {
    m_policy.writers_ended();
    rest();
  });
}

Json DiskWatch::status() {
  if (m_quota) {
    look_at_quota();
  }
  return {
      {"kept_by", m_quota ? "project quota" : "watcher"},
      {"limit_bytes", m_limits.bytes},
      {"limit_entries", m_limits.entries},
      {"reserve_bytes", m_limits.reserve},
      {"used_bytes", m_looked_at > 0 ? Json(m_usage.bytes) : Json()},
      {"used_entries", m_looked_at > 0 ? Json(m_usage.entries) : Json()},
      {"looked_at", m_looked_at > 0 ? Json(m_looked_at) : Json()},
      {"trouble", m_trouble},
      {"reached", m_reached},
      {"stopped", m_event}};
}

} // namespace pyro::supervisor
