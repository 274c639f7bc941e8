// Reading the files of a seed, which others may write to meanwhile.
#include "tree.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fcntl.h>

namespace pyro::seed {

namespace {

constexpr std::size_t k_read_buffer = 256 << 10;
constexpr int k_attempts = 3;

} // namespace

std::optional<os::Fd> SeedTree::open_file(const std::string& path) {
  return naming_whole(m_request.source, path, [&] {
    return os::maybe_open_beneath(m_root_fd.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  });
}

void SeedTree::note_stat(std::size_t index, const SeedStat& stat, std::uint64_t size) {
  SeedName& name = *m_names_of_entries.at(index);
  SeedEntry& entry = m_entries.at(index);
  name.stat = stat.key;
  name.stat.size = size;
  name.mode = seed_mode_of(stat.mode);
  name.flags = static_cast<std::uint8_t>(name.flags & ~stat_flags::k_settled);
  entry.size = size;
  entry.mode = name.mode;
  entry.mtime_ns = stat.key.mtime_ns;
  entry.ctime_ns = stat.key.ctime_ns;
}

bool SeedTree::read_whole(std::size_t index, const os::Fd& file, const SeedStat& before) {
  thread_local std::vector<char> buffer(k_read_buffer);
  Sha256 sum;
  std::uint64_t total = 0;
  while (total <= before.key.size) {
    const auto got = os::read_some(file.get(), buffer);
    if (!got || *got == 0) {
      break;
    }
    sum.update(std::string_view(buffer.data(), *got));
    total += *got;
  }
  const auto after = seed_stat_of(file.get(), std::string(m_entries.at(index).path));
  if (after.key != before.key || total != before.key.size) {
    return false;
  }
  if (before.key != m_names_of_entries.at(index)->stat) { // changed between the walk and now, whole again
    note_stat(index, before, before.key.size);
  }
  set_digest(index, sum.finish_bytes());
  return true;
}

void SeedTree::keep_content(std::size_t index, const os::Fd& file, const SeedStat& before) {
  Sha256 sum;
  const auto span = m_spool.keep(file.get(), before.key.size, sum);
  note_stat(index, before, span.size);
  set_digest(index, sum.finish_bytes());
  const std::lock_guard lock(m_reading_mutex);
  m_kept[m_names_of_entries.at(index)] = span;
  m_warnings.push_back(
      {std::string(m_entries.at(index).path), "it is being written to: taken as it was at one moment"});
}

bool SeedTree::copy_kept(std::size_t index, int target) const {
  const auto found = m_kept.find(m_names_of_entries.at(index));
  if (found != m_kept.end()) {
    m_spool.copy(found->second, target);
  }
  return found != m_kept.end();
}

void SeedTree::read_digest(std::size_t index) {
  const std::string path(m_entries.at(index).path);
  const bool is_restless = m_request.restless.contains(path);
  for (int attempt = 1;; ++attempt) {
    const auto file = open_file(path);
    if (!file) {
      break;
    }
    const auto before = seed_stat_of(file->get(), path);
    if (!S_ISREG(before.mode)) {
      break;
    }
    if (is_restless || attempt > k_attempts) {
      keep_content(index, *file, before);
    } else if (!read_whole(index, *file, before)) {
      continue;
    }
    note_xattrs(index, file->get());
    return;
  }
  const std::lock_guard lock(m_reading_mutex);
  m_vanished.push_back(m_names_of_entries.at(index));
  m_warnings.push_back({path, "it vanished while the seed was read"});
}

bool SeedTree::drop_vanished() {
  if (m_vanished.empty()) {
    return false;
  }
  for (auto* name : m_vanished) {
    name->flags = static_cast<std::uint8_t>(name->flags & ~stat_flags::k_chosen);
  }
  m_vanished.clear();
  m_flat = false;
  m_entries.clear();
  m_names_of_entries.clear();
  return true;
}

} // namespace pyro::seed
