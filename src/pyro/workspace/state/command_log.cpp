#include "command_log.hpp"

#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <charconv>
#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_entry = 8 << 20; // output with every byte escaped
constexpr std::chrono::milliseconds k_log_patience{10'000};
constexpr std::string_view k_prefix = "command-";
constexpr std::string_view k_entry_suffix = ".json";

/// Damaged ones (a power cut) are as good as none.
Json read_json(const std::string& path) {
  try {
    const auto text = os::maybe_read_file(path, k_max_entry);
    return text ? parse_json(*text, path) : Json();
  } catch (const Error&) {
    return nullptr;
  }
}

std::int64_t sequence_of(const std::string& file) {
  std::int64_t sequence = 0;
  if (file.starts_with(k_prefix) && file.ends_with(k_entry_suffix)) {
    const auto* begin = file.data() + k_prefix.size();
    std::from_chars(begin, file.data() + file.size() - k_entry_suffix.size(), sequence);
  }
  return sequence;
}

Json entry_of(std::int64_t sequence, std::int64_t epoch, const LoggedCommand& command) {
  return {
      {"sequence", sequence},
      {"history", epoch},
      {"command", command.command},
      {"cwd", command.cwd},
      {"exit_code", command.exit_code},
      {"stdout", command.out},
      {"stderr", command.err},
      {"stdout_truncated", command.out_truncated},
      {"stderr_truncated", command.err_truncated},
      {"duration_ms", command.duration_ms},
      {"execution_mode", command.execution_mode},
      {"started_at", command.started_at},
      {"output_id", command.output_id}};
}

Json without_output(Json entry) {
  for (const auto* key :
       {"stdout", "stderr", "stdout_truncated", "stderr_truncated", "history", "output_id"}) {
    entry.erase(key);
  }
  return entry;
}

} // namespace

std::string CommandLog::entry_path(std::int64_t sequence) const {
  return fmt::format("{}/{}{:08}{}", m_directory, k_prefix, sequence, k_entry_suffix);
}

CommandLog::Index CommandLog::stored_index() const {
  const auto stored = read_json(index_path());
  try {
    if (stored.is_object()) {
      return {
          get_int(stored, "history"), get_int(stored, "count"), stored.value("last_command", Json()),
          get_double(stored, "last_at")};
    }
  } catch (const Error&) {
    return rebuilt_index();
  }
  return os::exists(index_path()) ? rebuilt_index() : Index{};
}

CommandLog::Index CommandLog::rebuilt_index() const {
  Index index;
  for (const auto& file : os::list_directory(m_directory)) {
    const auto sequence = sequence_of(file);
    const auto entry = sequence > index.count ? read_json(m_directory + "/" + file) : Json();
    if (entry.is_object() && int_or(entry, "history", -1) == m_epoch) {
      index = {m_epoch, sequence, without_output(entry), entry.value("started_at", 0.0)};
    }
  }
  return index;
}

CommandLog::Index CommandLog::read_index() const {
  auto index = stored_index();
  return index.epoch == m_epoch ? index : Index{m_epoch, 0, nullptr, 0};
}

void CommandLog::remove_entries() const {
  for (const auto& file : os::list_directory(m_directory)) {
    if (sequence_of(file) > 0) {
      ::unlink((m_directory + "/" + file).c_str());
    }
  }
}

void CommandLog::forget_older() const {
  const os::ExclusiveLock lock(m_directory + "/lock", "command log", k_log_patience);
  if (stored_index().epoch < m_epoch) {
    remove_entries();
    ::unlink(index_path().c_str());
  }
}

std::int64_t CommandLog::add(const LoggedCommand& command) const {
  const os::ExclusiveLock lock(m_directory + "/lock", "command log", k_log_patience);
  auto index = stored_index();
  if (index.epoch > m_epoch) {
    return 0;
  }
  if (index.epoch < m_epoch) {
    remove_entries();
    index = {m_epoch, 0, nullptr, 0};
  }
  ++index.count;
  const auto entry = entry_of(index.count, m_epoch, command);
  os::write_json_atomically(entry_path(index.count), entry, os::Durable::no);
  os::write_json_atomically(
      index_path(),
      {{"history", m_epoch},
       {"count", index.count},
       {"last_command", without_output(entry)},
       {"last_at", os::now_epoch()}},
      os::Durable::no);
  if (index.count > k_logged_commands) {
    ::unlink(entry_path(index.count - k_logged_commands).c_str());
  }
  return index.count;
}

std::vector<Json> CommandLog::entries(std::int64_t limit, std::int64_t before) const {
  const auto count = read_index().count;
  const auto last = before > 0 ? std::min(before - 1, count) : count;
  const auto first = std::max<std::int64_t>(1, last - std::min(limit, k_logged_commands) + 1);
  std::vector<Json> entries;
  for (auto sequence = first; sequence <= last; ++sequence) {
    auto entry = read_json(entry_path(sequence));
    if (entry.is_object() && int_or(entry, "history", -1) == m_epoch) {
      entry.erase("history");
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

std::string shell_text(const std::vector<std::string>& argv) {
  constexpr std::string_view k_plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  std::string text;
  for (const auto& word : argv) {
    text += text.empty() ? "" : " ";
    if (!word.empty() && word.find_first_not_of(k_plain) == std::string::npos) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char letter : word) {
      text += letter == '\'' ? "'\\''" : std::string(1, letter);
    }
    text += '\'';
  }
  return text;
}

} // namespace pyro::workspace
