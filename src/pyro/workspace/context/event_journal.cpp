#include "event_journal.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr std::uint64_t k_largest_file = 2 << 20;
constexpr std::size_t k_longest_text = 2000;
constexpr std::size_t k_most_at_once = 10'000;

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// A directory, no link to one, of this user, into which nobody else can write.
bool is_ours(const std::string& path) {
  constexpr mode_t k_others_write = 022;

  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid()
         && (status.st_mode & k_others_write) == 0;
}

/// Null: it is none, as where a process was killed in the middle of a line.
Json event_of(const std::string& line) {
  try {
    return parse_json(line, "an event");
  } catch (const Error&) {
    return nullptr;
  }
}

bool is_of(const Json& event, const std::string& workspace) {
  return workspace.empty() || event.value("workspace_id", Json()) == workspace
         || event.value("workspace", Json()) == workspace;
}

/// The whole lines behind `offset`, which is moved behind them.
void read_lines(
    const std::string& path, std::uint64_t& offset, const std::string& workspace, std::size_t most,
    std::vector<Json>& events) {
  const auto text = os::maybe_read_file(path, 2 * k_largest_file);
  while (text && offset < text->size() && events.size() < most) {
    const auto end = text->find('\n', offset);
    if (end == std::string::npos) {
      return; // somebody is writing it
    }
    auto event = event_of(text->substr(offset, end - offset));
    if (event.is_object() && is_of(event, workspace)) {
      events.push_back(std::move(event));
    }
    offset = end + 1;
  }
}

} // namespace

std::string EventJournal::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:08}.jsonl", m_directory, number);
}

/// Their numbers, the oldest first.
std::vector<std::uint64_t> EventJournal::files() const {
  std::vector<std::uint64_t> numbers;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(m_directory, missing)) {
    const auto number = number_of(entry.path().stem().string());
    if (number > 0 && entry.path().extension() == ".jsonl") {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void EventJournal::rotate(std::uint64_t number) const {
  os::maybe_open(path_of(number + 1), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (const auto old : files()) {
    if (old < number) {
      ::unlink(path_of(old).c_str());
    }
  }
}

void EventJournal::add(Json event) const noexcept {
  try {
    // Not what lies above it: purge has just taken that away, or it is one that pyro refuses.
    if (!is_ours(std::filesystem::path(m_directory).parent_path().string())
        || (::mkdir(m_directory.c_str(), 0700) != 0 && !is_ours(m_directory))) {
      return;
    }
    event["ts"] = os::now_epoch();
    if (auto text = event.value("text", Json()); text.is_string()) {
      event["text"] = text.get<std::string>().substr(0, k_longest_text);
    }
    const auto line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const auto numbers = files();
    const auto number = numbers.empty() ? 1 : numbers.back();
    constexpr int k_flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const auto file = os::maybe_open(path_of(number), k_flags, 0600);

    struct stat status {};

    const bool is_file = file && ::fstat(file->get(), &status) == 0 && S_ISREG(status.st_mode);
    if (!is_file || ::write(file->get(), line.data(), line.size()) < 0) {
      return;
    }
    if (static_cast<std::uint64_t>(status.st_size) > k_largest_file) {
      rotate(number);
    }
  } catch (const std::exception&) {
    // Nothing depends on it.
  }
}

EventJournal::Page
EventJournal::read(const std::string& cursor, std::size_t tail, const std::string& workspace) const {
  const auto numbers = files();
  Page page;
  if (numbers.empty()) {
    page.cursor = "1:0";
    return page;
  }
  const auto colon = cursor.find(':');
  auto number = cursor.empty() ? numbers.front() : number_of(std::string_view(cursor).substr(0, colon));
  auto offset = colon == std::string::npos ? 0 : number_of(std::string_view(cursor).substr(colon + 1));
  if (number < numbers.front()) {
    number = numbers.front();
    offset = 0;
  }
  const auto most =
      cursor.empty() ? std::string::npos : k_most_at_once; // to its end, of which the last are shown
  for (;;) {
    read_lines(path_of(number), offset, workspace, most, page.events);
    if (number >= numbers.back() || page.events.size() >= most) {
      break;
    }
    ++number;
    offset = 0;
  }
  if (cursor.empty() && page.events.size() > tail) {
    page.events.erase(page.events.begin(), page.events.end() - static_cast<std::ptrdiff_t>(tail));
  }
  page.cursor = fmt::format("{}:{}", number, offset);
  return page;
}

} // namespace pyro::workspace
