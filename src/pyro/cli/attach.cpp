#include "attach.hpp"

#include "interrupts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/operations/text.hpp>

#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace pyro::cli {

namespace {

constexpr char k_detach_key = 0x1d; // Ctrl-]

winsize window() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

/// Copies what is typed into a pipe and takes the detach key out. A thread, because typing must not wait for
/// the moments at which the caller polls.
class Keyboard {
public:
  Keyboard() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      const int error = errno;
      throw Error::from_errno(error, "pipe");
    }
    m_read = ends[0];
    m_write = ends[1];
    m_stop = eventfd(0, EFD_CLOEXEC);
    if (m_stop < 0) {
      const int error = errno;
      close(m_read);
      close(m_write);
      throw Error::from_errno(error, "eventfd");
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals stay with the main thread
    m_thread = std::thread([this] { copy(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~Keyboard() {
    eventfd_write(m_stop, 1);
    close(m_read); // a copy that waits for room in the pipe fails now
    m_thread.join();
    close(m_stop);
  }

  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  int descriptor() const { return m_read; }

  bool detached() const { return m_detached; }

private:
  void copy() {
    std::array<pollfd, 2> waits{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{m_stop, POLLIN, 0}};
    std::array<char, 4096> buffer{};
    while (poll(waits.data(), waits.size(), -1) >= 0 && waits[1].revents == 0) {
      const auto count = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count <= 0) {
        break;
      }
      std::string_view typed(buffer.data(), static_cast<std::size_t>(count));
      const auto key = typed.find(k_detach_key);
      m_detached = m_detached || key != std::string_view::npos;
      if (!forward(typed.substr(0, key)) || m_detached) {
        break;
      }
    }
    close(m_write);
  }

  bool forward(std::string_view typed) const {
    while (!typed.empty()) {
      const auto written = write(m_write, typed.data(), typed.size());
      if (written < 0) {
        return false;
      }
      typed.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  int m_read = -1;
  int m_write = -1;
  int m_stop = -1;
  std::atomic<bool> m_detached{false};
  std::thread m_thread;
};

constexpr std::chrono::seconds k_leave_patience{3};

/// What the other side must hear of: the window's size, and, once, that we leave. Where it does not let go of
/// us then (it hangs, or is stopped), we go all the same.
class Control {
public:
  Control(const Keyboard& keyboard, Json leave) : m_keyboard(keyboard), m_leave(std::move(leave)) {}

  std::optional<Json> next() {
    if (take_window_change()) {
      const auto size = window();
      return Json{{"resize", {{"cols", size.ws_col}, {"rows", size.ws_row}}}};
    }
    if (!m_keyboard.detached() && !interrupted()) {
      return std::nullopt;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!m_left) {
      m_left = now;
      return m_leave;
    }
    if (now - *m_left > k_leave_patience) {
      throw Error(ErrorCode::timeout, "the other side does not let go");
    }
    return std::nullopt;
  }

private:
  const Keyboard& m_keyboard;
  Json m_leave;
  std::optional<std::chrono::steady_clock::time_point> m_left;
};

} // namespace

std::function<std::optional<Json>()> signals_forwarder() {
  return [forwarded = false]() mutable -> std::optional<Json> {
    if (forwarded || !interrupted()) {
      return std::nullopt;
    }
    forwarded = true;
    const int signal = interrupting_signal();
    return Json{{"signal", signal == SIGINT ? "INT" : signal == SIGHUP ? "HUP" : "TERM"}};
  };
}

int exit_status_of_result(Session& session, const operations::ExecResult& result) {
  if (!result.note.empty()) {
    session.finish_progress();
    session.console().err(fmt::format("pyro: error: {}\n", operations::escape_controls(result.note)));
  }
  if (!result.refusal_text.empty()) {
    session.finish_progress();
    session.note("pyro: " + operations::escape_controls(result.refusal_text));
  }
  return result.exit_code;
}

Parting on_our_terminal(Session& session, const Json& leave, const std::function<void(const Joined&)>& run) {
  auto& engine = session.engine(); // what it complains about comes before raw mode
  std::ignore = engine;
  const auto size = window();
  bool detached = false;
  {
    const RawMode raw(STDIN_FILENO);
    const Keyboard keyboard;
    Control control(keyboard, leave);
    const Joined joined{{keyboard.descriptor(), STDOUT_FILENO, STDERR_FILENO}, size.ws_col, size.ws_row, [&] {
                          return control.next();
                        }};
    try {
      run(joined);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::timeout || (!keyboard.detached() && !interrupted())) {
        throw;
      }
    }
    detached = keyboard.detached();
  }
  return detached ? Parting::detached : interrupted() ? Parting::interrupted : Parting::ended;
}

std::string terminal_type(Session& session) {
  auto type = session.console().environment("TERM").value_or("xterm");
  require_utf8(type, "the variable TERM");
  return type;
}

int attach(Session& session, operations::ExecRequest request) {
  request.tty = true;
  if (!request.env.contains("TERM")) {
    request.env["TERM"] = terminal_type(session);
  }
  operations::ExecResult result;
  const auto parting = on_our_terminal(session, {{"signal", "HUP"}}, [&](const Joined& joined) {
    request.columns = joined.columns;
    request.rows = joined.rows;
    request.poll_control = joined.poll_control;
    result = session.engine().stream_exec(session.where(), request, joined.streams);
  });
  switch (parting) {
  case Parting::detached:
    session.note("");
    session.note("Left. The workspace goes on; `pyro stop` stops it.");
    return 0;
  case Parting::interrupted:
    return 128 + interrupting_signal();
  case Parting::ended:
    break;
  }
  return exit_status_of_result(session, result);
}

} // namespace pyro::cli
