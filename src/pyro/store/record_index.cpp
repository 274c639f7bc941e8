#include "record_index.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/random.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr std::size_t k_longest_file = 16 << 20;
constexpr std::size_t k_most_stale = 64; // ids of workspaces that are gone, in one file
constexpr std::size_t k_longest_id = 12; // of those that are made; others are found whole
constexpr double k_settled_seconds = 2;  // since a list that changes twice within a tick keeps its time

void append(const os::Fd& directory, const std::string& name, const std::string& id) {
  const auto file = os::open_at(directory.get(), name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  os::write_all(file.get(), id + "\n");
}

std::string file_of(const std::string& text) {
  return "text-" + sha256_of(text).substr(0, 32);
}

std::set<std::string> ids_in(const std::string& path) {
  std::set<std::string> ids;
  const auto text = os::maybe_read_file(path, k_longest_file).value_or("");
  for (const auto line : lines_of(text)) {
    if (const std::string id(line); is_safe_name(id)) {
      ids.insert(id);
    }
  }
  return ids;
}

std::optional<timespec> modified(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 ? std::optional(status.st_mtim) : std::nullopt;
}

bool is_same(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

std::vector<std::string> ids_of_all(const std::string& workspaces) {
  auto ids = os::list_directory(workspaces);
  std::erase_if(ids, [](const std::string& id) { return !is_safe_name(id); });
  return ids;
}

} // namespace

RecordIndex::RecordIndex(const Base& base)
    : m_workspaces(base.workspaces()), m_root(base.root() + "/index"),
      m_directory(m_root + "/" + os::boot_id()) {
}

bool RecordIndex::add(const std::string& id, const std::vector<std::string>& texts) const noexcept {
  try {
    if (!os::is_directory(m_directory)) {
      for (const auto& name : os::list_directory(m_root)) {
        if (m_root + "/" + name != m_directory) { // of an earlier start of the machine
          os::remove_tree(m_root + "/" + name);
        }
      }
      os::make_directories(m_directory);
    }
    // All in one, though it be given up meanwhile: who is known in it has its texts in it.
    const auto directory = os::open_file(m_directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    for (const auto& text : texts) {
      append(directory, file_of(text), id);
    }
    append(directory, "known", id);
    return true;
  } catch (const std::exception&) {
    give_up();
    return false;
  }
}

/// Whoever asks next begins anew.
void RecordIndex::give_up() const noexcept {
  try {
    const auto aside = m_root + "/given-up-" + os::random_hex(8);
    if (::rename(m_directory.c_str(), aside.c_str()) == 0) {
      os::remove_tree(aside);
    }
  } catch (const std::exception&) {
    // What is left of it is read by nobody.
  }
}

void RecordIndex::note_stale(std::size_t count) const noexcept {
  if (count > k_most_stale) {
    give_up();
  }
}

/// Returns those of them that have the text, or of which nothing can be told. `all_are_known`: each is in the
/// index from now on.
std::vector<std::string> RecordIndex::take_in(
    const std::vector<std::string>& ids, const std::string& text, const TextsOf& texts_of,
    bool& all_are_known) const {
  const auto known = ids_in(m_directory + "/known");
  std::vector<std::string> likely;
  for (const auto& id : ids) {
    if (known.contains(id)) {
      continue;
    }
    const auto texts = texts_of(id);
    all_are_known = texts && add(id, *texts) && all_are_known;
    if (!texts || std::find(texts->begin(), texts->end(), text) != texts->end()) {
      likely.push_back(id);
    }
  }
  note_stale(known.size() > 2 * ids.size() + k_most_stale ? known.size() : 0);
  return likely;
}

std::vector<std::string> RecordIndex::ids_with(const std::string& text, const TextsOf& texts_of) const {
  const auto complete = m_directory + "/complete"; // as old as the list of workspaces that it is complete for
  const auto before = modified(m_workspaces);      // before it is read
  const auto is_for = modified(complete);
  const bool is_complete = before && is_for && is_same(*before, *is_for);
  const bool may_be_id = text.size() <= k_longest_id;
  const auto all = is_complete && !may_be_id ? std::vector<std::string>{} : ids_of_all(m_workspaces);
  std::set<std::string> ids;
  if (!is_complete) {
    bool all_are_known = true;
    const auto likely = take_in(all, text, texts_of, all_are_known);
    ids.insert(likely.begin(), likely.end());
    const bool is_settled =
        before && os::now_epoch() - static_cast<double>(before->tv_sec) > k_settled_seconds;
    if (is_settled && all_are_known && os::is_directory(m_directory)) {
      const os::Fd file(::open(complete.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
      const std::array<timespec, 2> times{*before, *before};
      std::ignore = file && ::futimens(file.get(), times.data()) == 0;
    }
  }
  ids.merge(ids_in(m_directory + "/" + file_of(text)));
  for (const auto& id : all) {
    if (may_be_id && id.starts_with(text)) {
      ids.insert(id);
    }
  }
  return {ids.begin(), ids.end()};
}

} // namespace pyro::store
