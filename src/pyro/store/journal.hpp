// The intent of an operation of several steps on one workspace, so that the next process can finish it or
// take it back. Under the workspace's lock; at most one at a time.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/process.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

struct JournalStep {
  std::string name;
  Json data; // null where there is nothing to say
};

struct JournalRecord {
  std::string op_id;
  std::string operation; // "reset", "snapshot_create", ...
  os::ProcessId holder;
  double started_at = 0;
  Json intent = Json::object();
  std::vector<JournalStep> steps; // done

  bool has(std::string_view step) const;
};

class Journal {
public:
  /// Writes the intent; bad_state where another operation is pending in that file. Durable::no survives a
  /// killed process, not a power cut.
  static Journal begin(
      const std::string& path, const std::string& operation, Json intent,
      os::Durable durable = os::Durable::yes);
  /// Takes over what another process left.
  static Journal
  resume(const std::string& path, JournalRecord record, os::Durable durable = os::Durable::yes);
  /// Removes the journal of an operation that was recovered; needs no space, even on a full disk.
  static void close(const std::string& path);
  /// nullopt: nothing to recover. Damage throws (protocol).
  static std::optional<JournalRecord> pending(const std::string& path);

  /// Notes that a step is done. A journal that is neither committed nor aborted stays pending for recovery.
  void step(const std::string& name, Json data = nullptr);
  /// The operation is done (or taken back): the file goes.
  void commit();

  const JournalRecord& record() const { return m_record; }

private:
  Journal(std::string path, JournalRecord record, os::Durable durable);
  void write() const;

  std::string m_path;
  JournalRecord m_record;
  os::Durable m_durable;
};

} // namespace pyro::store
