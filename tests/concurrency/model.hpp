// What one workspace must look like after many processes used it at once, worked out from the log of their
// calls. Each worker owns its files, marks, snapshots, service and label; what overlapped in time may have
// come in either order, and then the model says both.
#pragma once

#include "crew.hpp"

#include <optional>

namespace pyro::concurrency {

/// What is seen of the workspace, or of a snapshot of it.
struct Content {
  std::map<int, std::string> files; // by worker; absent: no file
  std::set<std::string> marks;      // one for every command that ran to its end
};

class Model {
public:
  explicit Model(std::vector<Step> steps);

  /// Snapshots that must be there, without the baseline.
  std::set<std::string> snapshots() const;
  std::int64_t reset_count() const;
  /// The label of each worker that has set one.
  std::map<std::string, std::string> labels() const;
  /// The resets that may have been the last, latest first; empty: none was.
  std::vector<Step> last_resets() const;

  /// What worker's file may hold after `reset` to a snapshot with this content in it (nullptr: there was no
  /// reset); nullopt: no file.
  std::set<std::optional<std::string>>
  file_after(const Step* reset, const Content& restored, int worker) const;
  /// How many commands the log may hold: at least, at most.
  std::pair<std::int64_t, std::int64_t> command_count(const Content& now, const Content& restored) const;
  /// What the snapshot must hold of its maker's file, where that can be told.
  std::optional<std::string> file_in_snapshot(const std::string& name) const;
  /// Reads that saw what they cannot have seen.
  std::vector<std::string> impossible_reads() const;

  /// Services that must run, or must not be known, after `reset`.
  struct Services {
    std::set<std::string> running;
    std::set<std::string> unknown;
  };

  Services services_after(const Step* reset) const;

private:
  struct Write {
    int worker = 0;
    std::string token;
    std::string mark; // empty: not made by a command
    bool certain = false;
    double began = 0;
    double ended = 0;
  };

  bool reset_meets(double from, double to) const;
  const Write* last_write_before(int worker, double when) const;

  std::vector<Step> m_steps;
  std::vector<Write> m_writes;
  std::vector<Step> m_resets; // successful or not: what may have changed the content
};

std::string file_of(int worker);
std::string service_of(int worker);
std::string label_of(int worker);

} // namespace pyro::concurrency
