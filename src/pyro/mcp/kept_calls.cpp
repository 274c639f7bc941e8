#include "kept_calls.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pyro::mcp {

namespace {

constexpr double k_kept_seconds = 60 * 60;
constexpr std::size_t k_most_files = 512; // two of a call that runs
constexpr std::size_t k_longest_result = 16U << 20U;
constexpr std::size_t k_longest_id = 64;
constexpr std::string_view k_beginning = "call-";
constexpr std::chrono::milliseconds k_patience{1000};

bool is_id(const std::string& text) {
  return text.starts_with(k_beginning) && text.size() <= k_longest_id
         && std::all_of(text.begin() + k_beginning.size(), text.end(), [](char letter) {
              return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
            });
}

CallOutcome failure(const Error& error) {
  return {false, to_json(error), false};
}

CallOutcome lost(const std::string& operation) {
  return failure(
      Error(ErrorCode::interrupted, "the server that ran this call ({}) ended before it was done", operation)
          .with_hint(
              "what it ran was interrupted; the workspace is as that left it. What a command had printed "
              "is in workspace_logs; status and plan tell the rest"));
}

CallOutcome too_long(std::size_t size) {
  return failure(
      Error(
          ErrorCode::unavailable, "the result of this call, {} bytes, went with the server that ran it", size)
          .with_hint("the call itself was done; ask for less of it at a time"));
}

Json document_of(const std::string& operation, double began, const CallOutcome& outcome) {
  return {{"operation", operation},         {"began", began},   {"ended", os::now_epoch()},
          {"cancelled", outcome.cancelled}, {"ok", outcome.ok}, {"value", outcome.value}};
}

} // namespace

KeptCalls::KeptCalls(std::function<std::string()> directory) : m_make_directory(std::move(directory)) {
}

std::string KeptCalls::path(const std::string& id, const char* suffix) const {
  if (m_directory.empty()) {
    m_directory = m_make_directory();
  }
  return m_directory + "/" + id + suffix;
}

void KeptCalls::begin(const std::string& id, const std::string& operation, double began) {
  const std::lock_guard guard(m_mutex);
  try {
    const auto lock = path(id, ".lock");
    remove_old();
    m_running.emplace(id, Running{operation, began, os::ExclusiveLock(lock, operation, k_patience)});
    os::write_json_atomically(
        path(id, ".json"), {{"operation", operation}, {"began", began}}, os::Durable::no);
  } catch (const Error&) {
    m_running.erase(id); // its result is in our memory, as long as that lasts
  }
}

void KeptCalls::end(const std::string& id, const CallOutcome& outcome) {
  const std::lock_guard guard(m_mutex);
  const auto running = m_running.find(id);
  if (running == m_running.end()) {
    return;
  }
  try {
    auto document = document_of(running->second.operation, running->second.began, outcome);
    const auto size = document.dump(-1, ' ', false, Json::error_handler_t::replace).size();
    if (size > k_longest_result) {
      document = document_of(running->second.operation, running->second.began, too_long(size));
    }
    os::write_json_atomically(path(id, ".json"), document, os::Durable::no);
    ::unlink(path(id, ".lock").c_str());
  } catch (const Error&) {
    // No room: it stays in our memory, and who asks another server hears that it was lost.
  }
  m_running.erase(running);
}

std::optional<KeptCall> KeptCalls::find(const std::string& id) const {
  if (!is_id(id)) {
    return std::nullopt;
  }
  const std::lock_guard guard(m_mutex);
  const auto lock = path(id, ".lock");
  const auto holder = os::exists(lock) ? os::lock_holder(lock) : std::nullopt; // before the file is read
  const auto text = os::maybe_read_file(path(id, ".json"), 2 * k_longest_result);
  if (!text) {
    return std::nullopt;
  }
  const auto document = parse_json(*text, "a kept call");
  KeptCall call;
  call.operation = get_string(document, "operation");
  call.began = get_double(document, "began");
  call.ended = call.began;
  if (document.contains("ended")) {
    call.ended = get_double(document, "ended");
    call.outcome = {get_bool(document, "ok"), value_at(document, "value"), get_bool(document, "cancelled")};
    return call;
  }
  if (holder) {
    throw Error(
        ErrorCode::bad_state, "the call {} ({}) runs in another server, process {}", id, call.operation,
        holder->pid)
        .with_hint("ask that one for it, or ask again when it has ended");
  }
  call.outcome = lost(call.operation);
  return call;
}

void KeptCalls::remove_old() const {
  struct File {
    std::string path;
    double at;
  };

  std::vector<File> files;
  for (const auto& name : os::list_directory(m_directory)) {
    struct stat status {};

    const auto file = m_directory + "/" + name;
    if (::lstat(file.c_str(), &status) == 0) {
      files.push_back({file, static_cast<double>(status.st_mtime)});
    }
  }
  std::sort(files.begin(), files.end(), [](const File& one, const File& other) { return one.at > other.at; });
  for (std::size_t count = 0; count < files.size(); ++count) {
    const auto& file = files[count];
    const bool is_over = file.at < os::now_epoch() - k_kept_seconds || count >= k_most_files;
    const auto lock = file.path.substr(0, file.path.rfind('.')) + ".lock";
    if (is_over && !(os::exists(lock) && os::lock_holder(lock))) {
      ::unlink(file.path.c_str());
    }
  }
}

} // namespace pyro::mcp
