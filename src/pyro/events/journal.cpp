#include "journal.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::events {

namespace {

constexpr std::uint64_t k_largest_file = 2 << 20;
constexpr std::size_t k_longest_text = 2000;
constexpr std::size_t k_most_at_once = 10'000;
constexpr mode_t k_others_write = 022;

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_ours(const struct stat& status, mode_t kind) {
  return (status.st_mode & S_IFMT) == kind && status.st_uid == ::geteuid()
         && (status.st_mode & k_others_write) == 0;
}

/// A directory, no link to one, of this user, into which nobody else can write.
bool is_our_directory(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && is_ours(status, S_IFDIR);
}

bool is_same_file(int file, const std::string& path) {
  struct stat one {};

  struct stat other {};

  return ::fstat(file, &one) == 0 && ::lstat(path.c_str(), &other) == 0 && one.st_ino == other.st_ino
         && one.st_dev == other.st_dev;
}

/// Null: it is none.
Json event_of(std::string_view line) {
  try {
    auto event = parse_json(line, "an event");
    return event.is_object() && event.contains("ts") ? event : Json();
  } catch (const Error&) {
    return nullptr;
  }
}

/// Who is killed in the middle of a line leaves its beginning before the next one, which is whole.
Json event_at_the_end_of(std::string_view line) {
  auto event = event_of(line);
  for (auto at = line.find("{\"", 1); event.is_null() && at != std::string_view::npos;
       at = line.find("{\"", at + 1)) {
    event = event_of(line.substr(at));
  }
  return event;
}

bool is_of(const Json& event, const std::string& workspace) {
  return workspace.empty() || event.value("workspace_id", Json()) == workspace
         || event.value("workspace", Json()) == workspace;
}

/// The whole lines behind `offset`, which is moved behind them.
void read_lines(
    const os::Fd& file, std::uint64_t& offset, const std::string& workspace, std::size_t most,
    std::vector<Json>& events) {
  struct stat status {};

  if (!file || ::fstat(file.get(), &status) != 0) {
    return;
  }
  if (offset > static_cast<std::uint64_t>(status.st_size)) {
    offset = 0; // another file of that number, after a purge
  }
  if (::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return;
  }
  const auto text = os::read_all(file.get(), 2 * k_largest_file);
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != std::string::npos && events.size() < most;
       end = text.find('\n', at)) {
    auto event = event_at_the_end_of(std::string_view(text).substr(at, end - at));
    if (event.is_object() && is_of(event, workspace)) {
      events.push_back(std::move(event));
    }
    at = end + 1;
  }
  offset += at;
}

/// "FILE:OFFSET:BEFORE": how far that file was read, and how far the one before it, to which somebody who had
/// it open may have added since.
struct Cursor {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  std::uint64_t before = 0;
};

Cursor cursor_of(std::string_view text) {
  Cursor cursor;
  for (auto* part : {&cursor.file, &cursor.offset, &cursor.before}) {
    const auto end = std::min(text.find(':'), text.size());
    *part = number_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return cursor;
}

} // namespace

/// Its files at one moment.
struct Journal::Files {
  std::vector<std::uint64_t> numbered; // the oldest first
  os::Fd current;
  std::uint64_t number_of_current = 1;
};

std::string Journal::current() const {
  return m_directory + "/current.jsonl";
}

std::string Journal::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:08}.jsonl", m_directory, number);
}

std::vector<std::uint64_t> Journal::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& name : os::list_directory(m_directory)) {
    const std::filesystem::path path(name);
    const auto number = number_of(path.stem().string());
    if (number > 0 && path.extension() == ".jsonl") {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Journal::Files Journal::open_files() const {
  constexpr int k_attempts = 10; // it may be given its number between the two looks
  Files files;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    auto file = os::maybe_open(current(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    files.current = file ? std::move(*file) : os::Fd();
    files.numbered = numbers();
    if (!files.current || files.numbered.empty()
        || !is_same_file(files.current.get(), path_of(files.numbered.back()))) {
      break;
    }
  }
  files.number_of_current = files.numbered.empty() ? 1 : files.numbered.back() + 1;
  return files;
}

/// One at a time: who does not get the lock leaves it to the other.
void Journal::rotate(int file) const {
  if (::flock(file, LOCK_EX | LOCK_NB) != 0 || !is_same_file(file, current())) {
    return;
  }
  const auto old = numbers();
  const auto next = old.empty() ? 1 : old.back() + 1;
  if (::rename(current().c_str(), path_of(next).c_str()) == 0) {
    for (const auto number : old) {
      ::unlink(path_of(number).c_str());
    }
  }
}

void Journal::add(Json event) const noexcept {
  try {
    event["ts"] = os::now_epoch();
    for (const auto* key : {"text", "address"}) {
      if (auto text = event.value(key, Json()); text.is_string()) {
        event[key] = text.get<std::string>().substr(0, k_longest_text);
      }
    }
    const auto line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    constexpr int k_flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
    auto file = os::maybe_open(current(), k_flags);
    // Not what lies above it: purge has just taken that away, or it is one that pyro refuses.
    if (!file && is_our_directory(std::filesystem::path(m_directory).parent_path().string())
        && (::mkdir(m_directory.c_str(), 0700) == 0 || is_our_directory(m_directory))) {
      file = os::maybe_open(current(), k_flags | O_CREAT, 0600);
    }

    struct stat status {};

    const bool is_writable = file && ::fstat(file->get(), &status) == 0 && is_ours(status, S_IFREG);
    if (!is_writable || ::write(file->get(), line.data(), line.size()) < 0) {
      return;
    }
    if (static_cast<std::uint64_t>(status.st_size) > k_largest_file) {
      rotate(file->get());
    }
  } catch (const std::exception&) {
    // Nothing depends on it.
  }
}

Journal::Page Journal::read(const std::string& cursor, std::size_t tail, const std::string& workspace) const {
  const auto files = open_files();
  const auto open = [&](std::uint64_t number) {
    return number == files.number_of_current
               ? (files.current ? os::duplicate(files.current.get()) : os::Fd())
               : os::maybe_open(path_of(number), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).value_or(os::Fd());
  };
  const auto oldest = files.numbered.empty() ? files.number_of_current : files.numbered.front();
  auto at = cursor_of(cursor);
  if (at.file < oldest || at.file > files.number_of_current) {
    at = {oldest, 0, 0};
  }
  // Without a cursor to its end, of which the last are shown.
  const auto most = cursor.empty() ? std::string::npos : k_most_at_once;
  Page page;
  if (at.file > oldest) {
    read_lines(open(at.file - 1), at.before, workspace, most, page.events);
  }
  for (;;) {
    read_lines(open(at.file), at.offset, workspace, most, page.events);
    if (at.file >= files.number_of_current || page.events.size() >= most) {
      break;
    }
    at = {at.file + 1, 0, at.offset};
  }
  if (cursor.empty() && page.events.size() > tail) {
    page.events.erase(page.events.begin(), page.events.end() - static_cast<std::ptrdiff_t>(tail));
  }
  page.cursor = fmt::format("{}:{}:{}", at.file, at.offset, at.before);
  return page;
}

} // namespace pyro::events
