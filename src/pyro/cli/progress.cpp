#include "progress.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <mutex>

namespace pyro::cli {

namespace {

using operations::escape_controls;
using operations::Event;
using std::chrono::milliseconds;

milliseconds monotonic_now() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

/// States of a service that the lines of its action tell as well.
bool is_told_by_action(std::string_view state) {
  return state == "starting" || state == "running" || state == "ready" || state == "completed"
         || state == "failed";
}

class PlainProgress : public Progress {
public:
  PlainProgress(Write write, ProgressOptions options)
      : m_write(std::move(write)), m_log(options.log),
        m_now(options.now ? std::move(options.now) : monotonic_now), m_start(m_now()) {}

  void handle(const Event& event) override {
    const std::scoped_lock lock(m_mutex);
    if (event.kind == "plan") {
      m_plan_was_shown = true;
      m_write(event.text + (event.text.ends_with('\n') ? "\n" : "\n\n"));
      return;
    }
    const auto now = m_now();
    std::string text = escape_controls(failure_or_text(event));
    if (event.kind == "log" && m_log != Log::all) {
      return; // of a step that fails, its last lines are in the error
    }
    if (event.kind == "probe" && m_started.contains(event.address) && is_told_by_action(event.text)) {
      return;
    }
    if (event.kind == "action_start") {
      m_started[event.address] = now;
    } else if (event.kind == "action_complete" || event.kind == "action_error") {
      if (const auto started = m_started.find(event.address); started != m_started.end()) {
        text += fmt::format(" ({})", format_elapsed(now - started->second));
        m_started.erase(started);
      }
      if (event.kind == "action_error") {
        text = "failed: " + text;
      }
    } else if (event.kind == "log") {
      text = "| " + text;
    }
    const double seconds = static_cast<double>((now - m_start).count()) / 1000.0;
    m_write(
        event.address.empty() ? fmt::format("[{:5.1f} s] {}\n", seconds, text)
                              : fmt::format("[{:5.1f} s] {}: {}\n", seconds, event.address, text));
  }

private:
  Write m_write;
  Log m_log;
  std::function<milliseconds()> m_now;
  milliseconds m_start;
  std::mutex m_mutex;
  std::map<std::string, milliseconds> m_started;
};

} // namespace

std::string failure_or_text(const Event& event) {
  const bool failed = event.kind == "action_error" && event.data.is_object();
  return failed ? string_or(event.data, "message", event.text) : event.text;
}

std::string mark_of(const Event& event) {
  const auto action = event.data.is_object() ? string_or(event.data, "action", "") : "";
  static const std::map<std::string, std::string, std::less<>> k_marks{
      {"create", "+"}, {"build", "*"},  {"rebuild", "*"}, {"take", "*"},     {"retake", "*"},
      {"update", "~"}, {"sync", "~"},   {"restart", "!"}, {"start", "+"},    {"reboot", "!"},
      {"stop", "-"},   {"forget", "-"}, {"reset", "<"},   {"replace", "-/+"}};
  const auto found = k_marks.find(action);
  return found == k_marks.end() ? "*" : found->second;
}

std::unique_ptr<Progress> make_plain_progress(Write write, ProgressOptions options) {
  return std::make_unique<PlainProgress>(std::move(write), std::move(options));
}

} // namespace pyro::cli
