#include "capture_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>

#include <cstring>
#include <sstream>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr std::string_view k_header = "pyro capture 1";
constexpr std::size_t k_memory_limit = 1U << 30;

std::string tree_path(const std::string& memory) {
  return memory + ".tree";
}

/// A file changed this shortly before the capture may change again within the same tick of its time stamps.
bool is_settled(const timespec& changed, const timespec& now) {
  constexpr long k_tick = 50'000'000;
  const long seconds = now.tv_sec - changed.tv_sec;
  return seconds > 1 || (seconds >= 0 && seconds * 1'000'000'000 + now.tv_nsec - changed.tv_nsec > k_tick);
}

} // namespace

bool CaptureMemory::Mark::operator==(const Mark& other) const {
  return device == other.device && inode == other.inode && size == other.size
         && modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec
         && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
}

CaptureMemory::CaptureMemory(std::string path) : m_path(std::move(path)) {
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
    Mark mark{};
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

std::string CaptureMemory::same_file(const std::string& path, const struct stat& status) {
  if (m_path.empty()) {
    return {};
  }
  const Mark mark{status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
  if (is_settled(status.st_ctim, m_now)) {
    m_noted.emplace(path, mark);
  }
  const auto known = m_known.find(path);
  return known != m_known.end() && known->second == mark ? m_tree + "/" + path : std::string();
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
  os::write_file_atomically(m_path, text, 0600, os::Durable::no);
}

void CaptureMemory::set_tree(const std::string& memory, const std::string& tree) {
  if (!memory.empty()) {
    os::write_file_atomically(tree_path(memory), tree, 0600, os::Durable::no);
  }
}

} // namespace pyro::store
