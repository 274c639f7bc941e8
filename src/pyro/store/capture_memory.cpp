#include "capture_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/same_content.hpp>
#include <pyro/os/write_back.hpp>

#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr std::string_view k_header = "pyro capture 2";
/// Most of what is dirty was written before everything was made to stand still: see write_back_changes().
/// What would take longer is copied again the next time.
constexpr std::chrono::milliseconds k_wait_for_disk{10};
constexpr std::size_t k_memory_limit = 1U << 30;

std::string tree_path(const std::string& memory) {
  return memory + ".tree";
}

/// Never waits for a FIFO that took the name; nullopt: no regular file, or not to be opened.
std::optional<os::Fd> open_regular(int directory, const std::string& name) {
  os::Fd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));

  struct stat status {};

  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return file;
}

bool has_bytes_of(const os::TreeEntry& entry, const std::string& copy) {
  const auto file = open_regular(entry.directory, entry.name);
  const auto other = open_regular(AT_FDCWD, copy);
  return file && other && os::same_bytes(file->get(), other->get());
}

} // namespace

bool is_settled(const timespec& changed, const timespec& now) {
  constexpr long k_tick = 50'000'000;
  const long seconds = now.tv_sec - changed.tv_sec;
  return seconds > 1 || (seconds >= 0 && seconds * 1'000'000'000 + now.tv_nsec - changed.tv_nsec > k_tick);
}

bool FileMark::operator==(const FileMark& other) const {
  return device == other.device && inode == other.inode && size == other.size
         && modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec
         && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
}

CaptureMemory::CaptureMemory(std::string path, std::shared_ptr<const WrittenBack> written_back)
    : m_path(std::move(path)), m_written_back(std::move(written_back)), m_time_left(k_wait_for_disk) {
  clock_gettime(CLOCK_REALTIME, &m_now);
  if (m_path.empty()) {
    return;
  }
  const auto tree = os::maybe_read_file(tree_path(m_path));
  const auto text = os::maybe_read_file(m_path, k_memory_limit);
  if (!tree || tree->empty() || !text) {
    return;
  }
  // "header\n", then for each file "device inode size s ns s ns path\0".
  if (!text->starts_with(std::string(k_header) + "\n") || text->back() != '\0') {
    if (*text != std::string(k_header) + "\n") {
      return;
    }
  }
  for (std::size_t at = k_header.size() + 1; at < text->size();) {
    const char* line = text->c_str() + at;
    at += std::strlen(line) + 1;
    unsigned long long device = 0;
    unsigned long long inode = 0;
    long long size = 0;
    FileMark mark{};
    int end = 0;
    if (std::sscanf(
            line, "%llu %llu %lld %ld %ld %ld %ld %n", &device, &inode, &size, &mark.modified.tv_sec,
            &mark.modified.tv_nsec, &mark.changed.tv_sec, &mark.changed.tv_nsec, &end)
            != 7
        || end == 0) {
      m_known.clear();
      return;
    }
    mark.device = device;
    mark.inode = inode;
    mark.size = size;
    m_known.emplace(line + end, mark);
  }
  m_tree = *tree;
}

FileMark mark_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

void CaptureMemory::begin_part(int upper) {
  m_times_tell = os::marks_mapped_stores(upper);
}

bool CaptureMemory::is_known(const std::string& path, const struct stat& status) const {
  const auto known = m_known.find(path);
  return known != m_known.end() && known->second == mark_of(status);
}

std::string CaptureMemory::same_file(const std::string& path, const os::TreeEntry& entry) {
  if (m_path.empty()) {
    return {};
  }
  const bool looks_same = is_known(path, entry.status);
  const bool may_note = is_settled(entry.status.st_ctim, m_now);
  if (may_note && (!m_times_tell || looks_same || is_written_back(path, entry))) {
    m_noted.emplace(path, mark_of(entry.status));
  }
  if (!looks_same) {
    return {};
  }
  auto copy = m_tree + "/" + path;
  return m_times_tell || has_bytes_of(entry, copy) ? copy : std::string();
}

/// The file is as `entry` says, and a store through a mapping from now on will show in its times.
bool CaptureMemory::is_written_back(const std::string& path, const os::TreeEntry& entry) {
  if (m_written_back) {
    const auto found = m_written_back->files.find(path);
    if (found != m_written_back->files.end() && found->second == mark_of(entry.status)) {
      return true;
    }
  }
  if (m_time_left.count() <= 0) {
    return false;
  }
  const auto started = std::chrono::steady_clock::now();
  const auto file = open_regular(entry.directory, entry.name);

  struct stat status {};

  const bool is_done = file && os::finish_write_back(file->get()) && fstat(file->get(), &status) == 0
                       && mark_of(status) == mark_of(entry.status);
  m_time_left -= std::chrono::steady_clock::now() - started;
  return is_done;
}

void CaptureMemory::save() const {
  if (m_path.empty()) {
    return;
  }
  std::ignore = unlink(tree_path(m_path).c_str()); // where the copies will lie is told by set_tree()
  std::string text = std::string(k_header) + "\n";
  for (const auto& [path, mark] : m_noted) {
    text += fmt::format(
        "{} {} {} {} {} {} {} {}", mark.device, mark.inode, mark.size, mark.modified.tv_sec,
        mark.modified.tv_nsec, mark.changed.tv_sec, mark.changed.tv_nsec, path);
    text += '\0';
  }
  const auto save_text = [&] {
    os::write_file_atomically(m_path, text, 0600, os::Durable::no);
  };
  if (!save_spare(m_path, save_text)) {
    std::ignore = unlink(m_path.c_str()); // the older one tells of other copies
  }
}

void CaptureMemory::set_tree(const std::string& memory, const std::string& tree) {
  if (!memory.empty()) {
    save_spare(tree_path(memory), [&] {
      os::write_file_atomically(tree_path(memory), tree, 0600, os::Durable::no);
    });
  }
}

} // namespace pyro::store
