// The finished commands of a workspace: counted, and the last ones kept with their output, one file each in
// <ws>/commands/. Beside the record, so that an exec does not wait for who works on the workspace; written
// without fsync, since losing the last lines of a history in a power cut is better than a slow exec. A reset
// begins a new history by counting the record's reset_count up: nothing needs to be removed for it.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/base/json_access.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Bytes of each stream that an entry keeps.
inline constexpr std::size_t k_logged_output = 128 << 10;
/// Of these, what comes before the place that is left out (BoundedText).
inline constexpr std::size_t k_logged_beginning = k_logged_output / 2 + 1;
/// Entries that are kept; the count goes on.
inline constexpr std::int64_t k_logged_commands = 1000;

struct LoggedCommand {
  std::string command;
  std::string cwd;
  int exit_code = 0;
  std::string out;
  std::string err;
  bool out_truncated = false;
  bool err_truncated = false;
  std::int64_t duration_ms = 0;
  std::string execution_mode;
  double started_at = 0;
  std::string output_id; // where all of its output is kept (kept_output.hpp); empty: nowhere
};

class CommandLog {
public:
  CommandLog(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record)
      : m_directory(paths.commands()), m_epoch(record.reset_count) {}

  /// Removes what belongs to a history before the last reset.
  void forget_older() const;

  /// Counts it and keeps it; returns its sequence number, from 1. 0: the workspace was reset meanwhile, and
  /// its history has begun anew.
  std::int64_t add(const LoggedCommand& command) const;

  std::int64_t count() const { return read_index().count; }

  /// The last one without its output; null: none yet.
  Json last() const { return read_index().last; }

  /// When the last one ended, epoch seconds; 0: none yet.
  double last_at() const { return read_index().at; }

  /// Oldest first: {sequence, command, cwd, exit_code, stdout, stderr, …}; at most the last `limit` of those
  /// before that sequence number. 0: of all.
  std::vector<Json> entries(std::int64_t limit, std::int64_t before = 0) const;

private:
  struct Index {
    std::int64_t epoch = 0;
    std::int64_t count = 0;
    Json last;
    double at = 0;
  };

  std::string index_path() const { return m_directory + "/index.json"; }

  std::string entry_path(std::int64_t sequence) const;
  Index stored_index() const;
  /// Empty where what is stored belongs to a history before a reset.
  Index read_index() const;
  Index rebuilt_index() const;
  void remove_entries() const;

  std::string m_directory;
  std::int64_t m_epoch;
};

/// As a shell would need to be told: words with anything but plain letters in quotes.
std::string shell_text(const std::vector<std::string>& argv);

} // namespace pyro::workspace
