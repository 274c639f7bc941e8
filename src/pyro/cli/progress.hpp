// What happens while something runs, as a line drawn in place on a terminal, as plain lines elsewhere, or as
// JSON lines. The base class shows nothing (--quiet). handle() may be called from any thread.
#pragma once

#include "style.hpp"

#include <pyro/operations/engine.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace pyro::cli {

using Write = std::function<void(std::string_view)>;

class Progress {
public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  virtual void handle(const operations::Event&) {}

  /// Leaves the terminal in order; more may follow.
  virtual void finish() {}

  /// Has the text of a plan event been written?
  bool plan_was_shown() const { return m_plan_was_shown; }

protected:
  bool m_plan_was_shown = false;
};

enum class Log { last, all }; // of step output on a terminal: the newest line in place, or every line

struct ProgressOptions {
  Style style;
  Log log = Log::last;
  std::function<int()> columns;
  std::function<std::chrono::milliseconds()> now = {}; // absent: the monotonic clock
};

std::unique_ptr<Progress> make_live_progress(Write write, ProgressOptions options);
std::unique_ptr<Progress> make_plain_progress(Write write, ProgressOptions options);
std::unique_ptr<Progress> make_json_progress(Write write);

/// The event's line; of a failure only its message, since place, output and hint follow in the error.
std::string failure_or_text(const operations::Event& event);

/// "*" of "built", "!" of "restarted": the plan's mark for what was done at an address, from the event's
/// data.
std::string mark_of(const operations::Event& event);

} // namespace pyro::cli
