// Calls of operations that run, each on a thread of its own, and those that have ended and were not asked for
// yet. A call outlives the request that began it, so that no request has to wait for long.
#pragma once

#include "kept_calls.hpp"

#include <pyro/operations/caller.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace pyro::mcp {

/// Lines of progress; called from the call's thread.
using ProgressSink = std::function<void(const operations::Event&)>;

/// One call. Shared by its thread and whoever waits for it.
class Call {
public:
  Call(std::string id, std::string operation);
  /// One that has ended, in whichever server.
  Call(std::string id, KeptCall ended);

  const std::string& id() const { return m_id; }

  const std::string& operation() const { return m_operation; }

  /// ISO 8601, UTC.
  std::string began_at() const;
  std::string changed_at() const;

  /// From its begin: an hour longer than until now, or than it took.
  std::chrono::milliseconds kept_for() const;

  /// The last line of progress.
  std::string last_line() const;

  /// nullopt: still running after so long, or `enough` said so.
  std::optional<CallOutcome>
  wait_for(std::chrono::milliseconds patience, const std::function<bool()>& enough = {}) const;

  void cancel() { m_is_cancelled = true; }

  bool is_cancelled() const { return m_is_cancelled; }

private:
  friend class Calls;

  bool is_forgotten_at(std::chrono::system_clock::time_point time) const;
  void note(const std::string& line);
  void finish(CallOutcome outcome);

  const std::string m_id;
  const std::string m_operation;
  const std::chrono::system_clock::time_point m_began;
  std::atomic<bool> m_is_cancelled = false;
  mutable std::mutex m_mutex; // for all below
  mutable std::condition_variable m_done;
  std::chrono::system_clock::time_point m_changed = m_began;
  std::string m_last_line;
  std::optional<CallOutcome> m_outcome;
};

class Calls {
public:
  /// `directory`: KeptCalls.
  Calls(
      operations::Caller& caller, operations::CallSettings settings, std::function<std::string()> directory);
  /// Interrupts what runs and waits for it.
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  /// Throws Error(unavailable) where too many run.
  std::shared_ptr<Call> begin(std::string operation, Json parameters, ProgressSink progress);

  /// From now on it is found by its id, until an hour after its end; when it has ended, in other servers too.
  void keep(const std::shared_ptr<Call>& call);
  /// nullptr: there is none. Error(bad_state) for one that runs in another server.
  std::shared_ptr<Call> find(const std::string& id) const;

  /// Interrupts all and waits for their ends, so long. False: some still run.
  bool stop(std::chrono::milliseconds patience);

private:
  void run(const std::shared_ptr<Call>& call, const Json& parameters, const ProgressSink& progress);
  void forget_old();

  operations::Caller& m_caller;
  const operations::CallSettings m_settings;
  std::atomic<bool> m_is_stopping = false;
  mutable std::mutex m_mutex; // for all below
  std::condition_variable m_fewer;
  int m_running = 0;
  std::map<std::string, std::shared_ptr<Call>> m_kept;
  KeptCalls m_files; // has a lock of its own
};

} // namespace pyro::mcp
