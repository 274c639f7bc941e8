// One shell: a program on a terminal of its own that goes on whether or not anybody looks. Its output is kept
// in a ring, from which every reader takes at its own pace.
#pragma once

#include "output_ring.hpp"
#include "runtime.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/shell_requests.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace pyro::agent {

class Shell : public std::enable_shared_from_this<Shell> {
public:
  /// Throws Error(failed) where the program cannot be started.
  static std::shared_ptr<Shell> open(Runtime& runtime, const protocol::ShellOpen& request);

  explicit Shell(Runtime& runtime) : m_runtime(runtime) {}

  ~Shell();

  protocol::ShellStatus status() const;

  bool is_running() const { return !m_outcome; }

  const OutputRing& output() const { return m_output; }

  /// When it last wrote something, by os::now_monotonic().
  std::chrono::milliseconds last_output() const { return m_last_output; }

  /// Throws Error(unavailable) while more than k_shell_input bytes wait for it; bad_state when it has ended.
  void write(std::string_view bytes);
  void resize(const protocol::TerminalSize& size);
  void signal(int number);
  /// Hangs up, kills after 2 s what is left; `done` is called once nothing of it runs.
  void close(std::function<void()> done);

  /// Its terminal goes away, for good: a signal alone may come while the shell is not yet listening to it.
  void hang_up();

  using WatchId = std::uint64_t;

  /// Called after new output and after the end; may unwatch itself.
  WatchId watch(std::function<void()> callback);
  void unwatch(WatchId id);
  /// While anybody holds, no more output is taken from the terminal (which stops its program in the end).
  void hold(WatchId id);
  void release(WatchId id);

private:
  void begin(const protocol::ShellOpen& request);
  void tell_watchers();
  void on_exit(os::Outcome outcome);

  int terminal() const { return m_terminal ? m_terminal.get() : -1; }

  Runtime& m_runtime;
  std::string m_id;
  std::string m_cwd;
  std::string m_marker;
  protocol::TerminalSize m_size;
  double m_opened_at = 0;
  pid_t m_pid = -1;
  std::optional<os::Outcome> m_outcome;
  OutputRing m_output{protocol::k_shell_output};
  std::chrono::milliseconds m_last_output{0};
  os::Fd m_terminal; // beside those of m_source and m_input
  std::optional<OutputSource> m_source;
  std::optional<InputSink> m_input;
  std::size_t m_waiting_input = 0;
  std::map<WatchId, std::function<void()>> m_watchers;
  std::set<WatchId> m_holders;
  WatchId m_next_watch = 1;
  std::vector<std::function<void()>> m_on_closed;
  os::EventLoop::TimerId m_kill_timer = 0;
};

} // namespace pyro::agent
