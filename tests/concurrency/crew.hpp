// Processes that call operations of one state directory side by side, and a log of what each called, when,
// and what came of it. Forked before any thread exists; each has an engine of its own, as commands have.
#pragma once

#include "../contract/contract.hpp"
#include "../support/sampling.hpp"

#include <pyro/base/error.hpp>

#include <sys/types.h>

#include <random>

namespace pyro::concurrency {

namespace fs = std::filesystem;

/// One call. Times are seconds of the monotonic clock.
struct Step {
  int worker = 0;
  std::string operation;
  Json parameters;
  double began = 0;
  double ended = 0; // 0: its process was killed before it ended
  Json answer;      // null where it failed
  ErrorCode code = ErrorCode::internal;
  std::string message;

  bool ok() const { return !answer.is_null(); }

  bool failed() const { return ended > 0 && !ok(); }

  /// "3 workspace_reset {…}: bad_state …"
  std::string text() const;
};

double now();

/// What a worker has in its hands.
class Worker {
public:
  Worker(int number, fs::path log, operations::Settings settings, unsigned seed);

  int number() const { return m_number; }

  std::mt19937& dice() { return m_dice; }

  /// 0 … sides - 1
  int throw_dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(m_dice); }

  /// Logs it before and after. null where it failed; then failure() tells why.
  Json call(const std::string& operation, const Json& parameters);

  const Step& failure() const { return m_last; }

private:
  int m_number;
  fs::path m_log;
  std::unique_ptr<operations::Engine> m_engine;
  std::mt19937 m_dice;
  Step m_last;
};

/// The workers of a test. They die with it.
class Crew {
public:
  Crew(fs::path directory, operations::Settings settings, unsigned seed);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Forks a process that does `work` and ends.
  pid_t send(const std::function<void(Worker&)>& work);
  /// Waits for all; a test fails where one did not end well, unless it was killed by kill().
  void wait();
  /// SIGKILL; true: it still ran.
  bool kill(pid_t pid);

  bool is_at_work(pid_t pid) const { return m_at_work.contains(pid); }

  /// Reaps those that are done.
  void look();

  /// What all of them did, by the time it began.
  std::vector<Step> steps() const;

private:
  void note_end(pid_t pid, int status);

  fs::path m_directory;
  operations::Settings m_settings;
  unsigned m_seed;
  int m_sent = 0;
  std::map<pid_t, int> m_at_work;
  std::set<pid_t> m_killed;
};

using testing::chosen_seed;
using testing::number_of;

} // namespace pyro::concurrency
