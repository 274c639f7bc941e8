// Lines on a terminal: one per running action, redrawn in place; finished ones stay above them.
#include "progress.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <array>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace pyro::cli {

namespace {

using operations::escape_controls;
using operations::Event;
using std::chrono::milliseconds;

constexpr std::array k_spinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr milliseconds k_redraw{100};

struct Running {
  std::string address;
  std::string text;
  std::string last_line;
  milliseconds started{0};
};

class LiveProgress : public Progress {
public:
  LiveProgress(Write write, ProgressOptions options)
      : m_write(std::move(write)), m_options(std::move(options)) {}

  ~LiveProgress() override { stop_ticker(); }

  void handle(const Event& given) override {
    const std::unique_lock lock(m_mutex);
    auto event = given;
    event.address = escape_controls(given.address);
    if (event.kind == "action_start") {
      m_running.push_back({event.address, escape_controls(event.text), "", now()});
      start_ticker();
    } else if (event.kind == "action_complete" || event.kind == "action_error") {
      complete(event);
    } else if (event.kind == "log" && m_options.log == Log::all) {
      print(m_options.style.dim(fmt::format("    {} | {}", event.address, escape_controls(event.text))));
    } else if (event.kind == "plan") {
      m_plan_was_shown = true;
      print(event.text);
    } else if (auto* running = find(event.address); running != nullptr) {
      running->last_line = escape_controls(event.text);
    } else if (event.kind != "log" && event.kind != "action_progress" && event.kind != "probe") {
      print(fmt::format("  {}", labelled(event)));
    }
    draw();
  }

  void finish() override {
    stop_ticker();
    const std::unique_lock lock(m_mutex);
    erase();
    m_running.clear();
  }

private:
  milliseconds now() const {
    return m_options.now ? m_options.now()
                         : std::chrono::duration_cast<milliseconds>(
                             std::chrono::steady_clock::now().time_since_epoch());
  }

  static std::string labelled(const Event& event) {
    const auto text = escape_controls(event.text);
    return event.address.empty() ? text : fmt::format("{}: {}", event.address, text);
  }

  Running* find(const std::string& address) {
    for (auto& running : m_running) {
      if (running.address == address) {
        return &running;
      }
    }
    return nullptr;
  }

  void complete(const Event& event) {
    const bool failed = event.kind == "action_error";
    std::string elapsed;
    if (const auto* running = find(event.address); running != nullptr) {
      elapsed = "  " + format_elapsed(now() - running->started);
    }
    const auto mark = failed ? m_options.style.red("x") : m_options.style.green(mark_of(event));
    print(
        fmt::format("  {} {}  {}{}", mark, event.address, escape_controls(failure_or_text(event)), elapsed));
    std::erase_if(m_running, [&](const Running& running) { return running.address == event.address; });
  }

  /// A line that stays.
  void print(std::string_view text) {
    erase();
    m_write(fmt::format("{}{}", text, text.ends_with('\n') ? "" : "\n"));
  }

  void erase() {
    if (m_drawn > 0) {
      m_write(fmt::format("\x1b[{}A\x1b[J", m_drawn));
      m_drawn = 0;
    }
  }

  void draw() {
    erase();
    const auto columns = static_cast<std::size_t>(std::max(20, m_options.columns ? m_options.columns() : 80));
    std::string text;
    for (const auto& running : m_running) {
      const auto line = fmt::format(
          "  {} {}  {}  {}{}", k_spinner[m_frame % k_spinner.size()], running.address, running.text,
          format_elapsed(now() - running.started), running.last_line.empty() ? "" : "  " + running.last_line);
      text += fitted(line, columns - 1) + "\n";
    }
    m_write(text);
    m_drawn = m_running.size();
  }

  // --- redrawing while nothing happens
  // -------------------------------------------------------------------------------

  void start_ticker() {
    if (m_ticker.joinable() || m_options.now) { // a clock of the caller's: a test, which draws by events only
      return;
    }
    m_stop = false;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals stay with the main thread
    m_ticker = std::thread([this] { tick(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void tick() {
    std::unique_lock lock(m_mutex);
    while (!m_wake.wait_for(lock, k_redraw, [this] { return m_stop; })) {
      ++m_frame;
      if (m_running.empty()) {
        continue;
      }
      try {
        draw();
      } catch (...) {
        return; // the terminal is gone; the main thread meets the same at its next write and reports it
      }
    }
  }

  void stop_ticker() {
    {
      const std::scoped_lock lock(m_mutex);
      m_stop = true;
    }
    m_wake.notify_all();
    if (m_ticker.joinable()) {
      m_ticker.join();
    }
  }

  Write m_write;
  ProgressOptions m_options;
  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::thread m_ticker;
  bool m_stop = false;
  std::size_t m_frame = 0;
  std::size_t m_drawn = 0; // lines that erase() takes away
  std::vector<Running> m_running;
};

} // namespace

std::unique_ptr<Progress> make_live_progress(Write write, ProgressOptions options) {
  return std::make_unique<LiveProgress>(std::move(write), std::move(options));
}

} // namespace pyro::cli
