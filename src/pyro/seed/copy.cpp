#include "copy.hpp"

#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <unistd.h>

namespace pyro::seed {

namespace {

constexpr std::size_t k_buffer = 256 << 10;
constexpr std::uint64_t k_reflink_from = 1 << 20; // smaller files are read anyway, to check their digest
constexpr std::int64_t k_nanoseconds = 1'000'000'000;

/// The files and symlinks of one directory, as indexes: the unit of work of a thread.
struct Batch {
  std::vector<std::size_t> entries;
};

timespec time_of(std::int64_t nanoseconds) {
  auto seconds = nanoseconds / k_nanoseconds - (nanoseconds % k_nanoseconds < 0 ? 1 : 0);
  return {seconds, nanoseconds - seconds * k_nanoseconds};
}

std::string_view name_of_path(std::string_view path) {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

class SeedCopy {
public:
  SeedCopy(SeedScan& scan, const std::string& destination, const SeedPlacement& placement);
  SeedCopyReport run();

private:
  void choose();
  void make_root(const std::string& destination);
  void make_directories();
  void copy_batch(const Batch& batch);
  void copy_file(int source_directory, int target_directory, std::size_t index);
  /// False: it is not what was scanned, as the next three.
  bool copy_bytes(int source, int target, std::size_t index, const std::string& path);
  bool copy_as_scanned(int source, int target, std::size_t index, const SeedStat& before);
  bool copy_beginning(int source, int target, std::size_t index);
  bool copy_with_holes(int source, int target, const SeedEntry& entry, Sha256& sum);
  void note_changed(std::string_view path);
  void note_restless(std::string_view path);
  void copy_xattrs(int source, int target, const std::string& path);
  void make_symlink(int target_directory, const SeedEntry& entry);
  void link_others();
  void make_whiteouts();
  void finish_directories();
  void own(int directory, const char* name, std::string_view path);
  void give_time(int directory, const char* name, int flags, const SeedEntry& entry);
  os::Fd open_target_directory(std::string_view path);
  [[noreturn]] void fail(int number, std::string_view attempt, std::string_view path);

  SeedScan& m_scan;
  const SeedPlacement& m_placement;
  const std::vector<SeedEntry>& m_entries;
  std::vector<bool> m_wanted;
  std::vector<Batch> m_batches;
  std::vector<std::size_t> m_directories; // parents first
  std::map<std::uint32_t, std::vector<std::size_t>> m_links;
  os::Fd m_root;
  std::mutex m_mutex; // of the paths in the report
  std::atomic<std::uint64_t> m_bytes = 0;
  std::atomic<std::uint64_t> m_reflinked = 0;
  SeedCopyReport m_report;
};

SeedCopy::SeedCopy(SeedScan& scan, const std::string& destination, const SeedPlacement& placement)
    : m_scan(scan), m_placement(placement), m_entries(scan.entries()), m_wanted(m_entries.size()) {
  choose();
  make_root(destination);
}

void SeedCopy::fail(int number, std::string_view attempt, std::string_view path) {
  auto error = Error::from_errno(number, fmt::format("{} '{}' in the seed's layer", attempt, path));
  if (error.code() == ErrorCode::disk_full) {
    error.with_hint("free some space, or leave out large files with seed.exclude");
  }
  throw error;
}

void SeedCopy::choose() {
  auto mark = [&](std::string_view path) {
    const auto* entry = m_scan.find(path);
    if (entry == nullptr) {
      throw Error(ErrorCode::input_missing, "'{}' is not in the seed {}", path, m_scan.source());
    }
    m_wanted[static_cast<std::size_t>(entry - m_entries.data())] = true;
  };
  if (!m_placement.only) {
    m_wanted.assign(m_entries.size(), true);
  } else {
    for (const auto& path : *m_placement.only) {
      mark(path);
    }
    // In a layer on top the directories above carry their own mode and time.
    auto mark_parents = [&](std::string_view path) {
      for (auto parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
        mark(parent);
      }
    };
    for (const auto& path : *m_placement.only) {
      mark_parents(path);
    }
    for (const auto& path : m_placement.whiteouts) {
      mark_parents(path);
    }
  }
  std::map<std::string, std::size_t> batch_of; // by directory
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    const auto& entry = m_entries[i];
    if (!m_wanted[i]) {
      continue;
    }
    if (entry.type == SeedType::directory) {
      m_directories.push_back(i);
      continue;
    }
    if (entry.link_group != 0) {
      auto& members = m_links[entry.link_group];
      members.push_back(i);
      if (members.size() > 1) {
        continue; // linked afterwards
      }
    }
    auto [known, added] = batch_of.try_emplace(parent_of(entry.path), m_batches.size());
    if (added) {
      m_batches.emplace_back();
    }
    m_batches[known->second].entries.push_back(i);
  }
}

void SeedCopy::make_root(const std::string& destination) {
  os::Fd at = os::open_file(destination, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  std::string_view rest = m_placement.to;
  while (!rest.empty()) {
    auto end = std::min(rest.find('/'), rest.size());
    std::string name(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty() || name == "." || name == "..") {
      throw Error(ErrorCode::invalid_argument, "seed.to: '{}' is not a plain path", m_placement.to);
    }
    if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
      fail(errno, "make directory", m_placement.to);
    }
    at = os::open_at(at.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (::fchmod(at.get(), 0755) != 0) { // whatever the umask is
      fail(errno, "change mode of", m_placement.to);
    }
  }
  m_root = std::move(at);
  if (!m_placement.to.empty()) {
    own(m_root.get(), "", m_placement.to);
  }
}

void SeedCopy::own(int directory, const char* name, std::string_view path) {
  if (!m_placement.uid && !m_placement.gid) {
    return;
  }
  auto uid = m_placement.uid.value_or(static_cast<uid_t>(-1));
  auto gid = m_placement.gid.value_or(static_cast<gid_t>(-1));
  if (::fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) {
    fail(errno, "change owner of", path);
  }
}

void SeedCopy::give_time(int directory, const char* name, int flags, const SeedEntry& entry) {
  const timespec times[2] = {time_of(entry.mtime_ns), time_of(entry.mtime_ns)};
  if (::utimensat(directory, name, times, flags) != 0) {
    fail(errno, "set time of", entry.path);
  }
}

os::Fd SeedCopy::open_target_directory(std::string_view path) {
  if (path.empty()) {
    return os::duplicate(m_root.get());
  }
  auto fd = os::maybe_open_beneath(m_root.get(), std::string(path), O_RDONLY | O_DIRECTORY);
  if (!fd) {
    throw Error(ErrorCode::internal, "directory '{}' vanished from the seed's layer", path);
  }
  return std::move(*fd);
}

void SeedCopy::make_directories() {
  for (auto index : m_directories) {
    std::string path(m_entries[index].path);
    // Writable for us until finish_directories().
    if (::mkdirat(m_root.get(), path.c_str(), 0700) != 0) {
      fail(errno, "make directory", path);
    }
  }
  m_report.directories = m_directories.size();
}

void SeedCopy::copy_batch(const Batch& batch) {
  std::string parent(parent_of(m_entries[batch.entries.front()].path));
  auto source =
      os::maybe_open_beneath(m_scan.tree().root_fd(), parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (!source) {
    note_changed(parent);
    return;
  }
  os::Fd target = open_target_directory(parent);
  for (auto index : batch.entries) {
    if (m_entries[index].type == SeedType::symlink) {
      make_symlink(target.get(), m_entries[index]);
    } else {
      copy_file(source->get(), target.get(), index);
    }
  }
}

void SeedCopy::make_symlink(int target_directory, const SeedEntry& entry) {
  std::string name(name_of_path(entry.path));
  if (::symlinkat(std::string(entry.link_target).c_str(), target_directory, name.c_str()) != 0) {
    fail(errno, "make symlink", entry.path);
  }
  own(target_directory, name.c_str(), entry.path);
  give_time(target_directory, name.c_str(), AT_SYMLINK_NOFOLLOW, entry);
}

void SeedCopy::copy_file(int source_directory, int target_directory, std::size_t index) {
  const SeedEntry& entry = m_entries[index];
  std::string path(entry.path);
  std::string name(name_of_path(entry.path));
  os::Fd source(
      ::openat(source_directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!source) {
    if (errno == ENOENT || errno == ELOOP) {
      note_changed(path);
      return;
    }
    throw Error::from_errno(errno, fmt::format("read seed file {}/{}", m_scan.source(), path));
  }
  os::Fd target(
      ::openat(target_directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target) {
    fail(errno, "create", path);
  }
  if (!copy_bytes(source.get(), target.get(), index, path)) {
    note_changed(path);
    return;
  }
  if (entry.has_xattrs) {
    copy_xattrs(source.get(), target.get(), path);
  }
  own(target.get(), "", path);
  if (::fchmod(target.get(), entry.mode) != 0) {
    fail(errno, "change mode of", path);
  }
  const timespec times[2] = {time_of(entry.mtime_ns), time_of(entry.mtime_ns)};
  if (::futimens(target.get(), times) != 0) {
    fail(errno, "set time of", path);
  }
}

/// Reads, hashes and writes in one pass. Holes stay holes.
bool SeedCopy::copy_with_holes(int source, int target, const SeedEntry& entry, Sha256& sum) {
  static const std::vector<char> zeros(k_buffer);
  thread_local std::vector<char> buffer(k_buffer);
  auto size = static_cast<off_t>(entry.size);
  off_t at = 0;
  while (at < size) {
    off_t data = ::lseek(source, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) {
      fail(errno, "read", entry.path);
    }
    off_t hole_end = data < 0 ? size : std::min(data, size);
    for (; at < hole_end;) { // a hole reads as zeros
      auto part = std::min<off_t>(hole_end - at, static_cast<off_t>(zeros.size()));
      sum.update(std::string_view(zeros.data(), static_cast<std::size_t>(part)));
      at += part;
    }
    if (at >= size) {
      break;
    }
    off_t data_end = ::lseek(source, at, SEEK_HOLE);
    if (data_end < 0 || ::lseek(source, at, SEEK_SET) < 0 || ::lseek(target, at, SEEK_SET) < 0) {
      fail(errno, "read", entry.path);
    }
    data_end = std::min(data_end, size);
    while (at < data_end) {
      auto part = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(data_end - at));
      auto got = os::read_some(source, {buffer.data(), part});
      if (!got || *got == 0) {
        return false;
      }
      sum.update(std::string_view(buffer.data(), *got));
      os::write_all(target, {buffer.data(), *got});
      at += static_cast<off_t>(*got);
    }
  }
  if (::ftruncate(target, size) != 0) {
    fail(errno, "extend", entry.path);
  }
  return true;
}

/// Reads, hashes and writes so many bytes; false: there are fewer.
bool copy_hashed(int source, int target, std::uint64_t size, Sha256& sum) {
  thread_local std::vector<char> buffer(k_buffer);
  for (std::uint64_t done = 0; done < size;) {
    const auto part = std::min<std::uint64_t>(buffer.size(), size - done);
    const auto got = os::read_some(source, {buffer.data(), static_cast<std::size_t>(part)});
    if (!got || *got == 0) {
      return false;
    }
    sum.update(std::string_view(buffer.data(), *got));
    os::write_all(target, {buffer.data(), *got});
    done += *got;
  }
  return true;
}

/// A log that grew since: as far as it was scanned it is what it was.
bool SeedCopy::copy_beginning(int source, int target, std::size_t index) {
  const SeedEntry& entry = m_entries[index];
  if (!entry.has_digest) {
    return false;
  }
  if (::lseek(source, 0, SEEK_SET) != 0 || ::ftruncate(target, 0) != 0 || ::lseek(target, 0, SEEK_SET) != 0) {
    fail(errno, "copy again", entry.path);
  }
  Sha256 sum;
  if (!copy_hashed(source, target, entry.size, sum) || sum.finish_bytes() != entry.digest) {
    return false;
  }
  note_restless(entry.path);
  return true;
}

bool SeedCopy::copy_as_scanned(int source, int target, std::size_t index, const SeedStat& before) {
  const SeedEntry& entry = m_entries[index];
  if (entry.has_digest && entry.size >= k_reflink_from) {
    if (os::copy_content(source, target) == os::CopyMethod::reflinked) {
      ++m_reflinked;
    }
    return true;
  }
  Sha256 sum;
  const bool sparse = before.blocks * 512 < entry.size && entry.size >= 4096;
  if (!(sparse ? copy_with_holes(source, target, entry, sum)
               : copy_hashed(source, target, entry.size, sum))) {
    return false;
  }
  const auto digest = sum.finish_bytes();
  if (entry.has_digest) {
    return digest == entry.digest;
  }
  m_scan.set_digest(index, digest);
  return true;
}

bool SeedCopy::copy_bytes(int source, int target, std::size_t index, const std::string& path) {
  const SeedEntry& entry = m_entries[index];
  const auto is_scanned = [&](const StatKey& key) {
    return key.size == entry.size && key.mtime_ns == entry.mtime_ns && key.ctime_ns == entry.ctime_ns;
  };
  try {
    if (!m_scan.tree().copy_kept(index, target)) {
      const auto before = seed_stat_of(source, path);
      if (!S_ISREG(before.mode)) {
        return false;
      }
      const bool has_digest = entry.has_digest;
      if (!has_digest) {
        m_scan.tree().note_xattrs(index, source);
      }
      const bool is_copied = is_scanned(before.key) && copy_as_scanned(source, target, index, before)
                             && is_scanned(seed_stat_of(source, path).key);
      if (!is_copied && (!has_digest || !copy_beginning(source, target, index))) {
        return false;
      }
    }
  } catch (Error& error) {
    error.add_context(fmt::format("while copying seed file {}", path));
    throw;
  }
  m_bytes += entry.size;
  return true;
}

void SeedCopy::note_changed(std::string_view path) {
  const std::lock_guard lock(m_mutex);
  m_report.changed.emplace_back(path);
}

void SeedCopy::note_restless(std::string_view path) {
  const std::lock_guard lock(m_mutex);
  m_report.restless.emplace_back(path);
}

void SeedCopy::copy_xattrs(int source, int target, const std::string& path) {
  for (const auto& [name, value] : os::extended_attributes_of(source)) {
    if (!name.starts_with("user.") || name.starts_with("user.overlay.")) {
      continue;
    }
    if (::fsetxattr(target, name.c_str(), value.data(), value.size(), 0) != 0) {
      fail(errno, "set attribute of", path);
    }
  }
}

void SeedCopy::link_others() {
  for (const auto& [group, members] : m_links) {
    std::string first(m_entries[members.front()].path);
    for (std::size_t i = 1; i < members.size(); ++i) {
      const auto& entry = m_entries[members[i]];
      if (::linkat(m_root.get(), first.c_str(), m_root.get(), std::string(entry.path).c_str(), 0) != 0) {
        fail(errno, "make hard link", entry.path);
      }
      if (!entry.has_digest) {
        m_scan.set_digest(members[i], m_entries[members.front()].digest);
      }
      ++m_report.hardlinks;
    }
  }
}

void SeedCopy::make_whiteouts() {
  for (const auto& path : m_placement.whiteouts) {
    os::Fd parent = open_target_directory(parent_of(path));
    if (::mknodat(parent.get(), std::string(name_of_path(path)).c_str(), S_IFCHR, makedev(0, 0)) != 0) {
      fail(errno, "make whiteout", path);
    }
    ++m_report.whiteouts;
  }
}

void SeedCopy::finish_directories() {
  for (auto index = m_directories.rbegin(); index != m_directories.rend(); ++index) {
    const auto& entry = m_entries[*index];
    std::string path(entry.path);
    own(m_root.get(), path.c_str(), path);
    if (::fchmodat(m_root.get(), path.c_str(), entry.mode, 0) != 0) {
      fail(errno, "change mode of", path);
    }
    give_time(m_root.get(), path.c_str(), AT_SYMLINK_NOFOLLOW, entry);
  }
}

SeedCopyReport SeedCopy::run() {
  make_directories();
  run_parallel(m_batches.size(), m_placement.threads, [&](std::size_t i) { copy_batch(m_batches[i]); });
  if (!m_report.changed.empty()) {
    std::sort(m_report.changed.begin(), m_report.changed.end());
    return m_report;
  }
  for (const auto& batch : m_batches) {
    for (auto index : batch.entries) {
      ++(m_entries[index].type == SeedType::symlink ? m_report.symlinks : m_report.files);
    }
  }
  link_others();
  make_whiteouts();
  finish_directories();
  m_report.bytes = m_bytes;
  m_report.reflinked = m_reflinked;
  m_scan.save_stat_cache();
  return m_report;
}

} // namespace

SeedCopyReport materialise(SeedScan& scan, const std::string& destination, const SeedPlacement& placement) {
  return SeedCopy(scan, destination, placement).run();
}

SeedPlacement placement_of(const SeedDelta& delta, SeedPlacement placement) {
  placement.only = delta.changed;
  placement.whiteouts = delta.deleted;
  return placement;
}

std::function<std::optional<HexDigest>(std::string_view path)>
known_content_of(const SeedScan& scan, const SeedPlacement& placement) {
  std::string prefix = placement.to.empty() ? "" : placement.to + "/";
  return [&scan, prefix](std::string_view path) -> std::optional<HexDigest> {
    if (!path.starts_with(prefix)) {
      return std::nullopt;
    }
    const auto* entry = scan.find(path.substr(prefix.size()));
    if (entry == nullptr || entry->type != SeedType::file || !entry->has_digest) {
      return std::nullopt;
    }
    return to_hex(entry->digest);
  };
}

} // namespace pyro::seed
