#include "tool.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/fd.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <future>
#include <optional>
#include <poll.h>

namespace pyro::environment {

namespace {

/// File times and password dates are not later than this (the release of Debian 12): the same packages give
/// the same layer.
constexpr const char* k_source_date_epoch = "1686355200";

/// Passes the lines on until the other end is closed; returns the last ones.
std::vector<std::string> follow_lines(
    int output, const std::function<void(const std::string&)>& line, const std::function<void()>& poll) {
  constexpr std::size_t k_kept = 20;
  constexpr std::size_t k_longest = 4096;
  std::deque<std::string> last;
  std::string pending;
  const auto emit = [&] {
    if (!pending.empty()) {
      line(pending);
      last.push_back(std::move(pending));
      if (last.size() > k_kept) {
        last.pop_front();
      }
    }
    pending.clear();
  };
  std::array<char, 4096> buffer{};
  const auto read_next = [&] {
    pollfd waiting{output, POLLIN, 0};
    while (::poll(&waiting, 1, 200) <= 0) {
      poll();
    }
    poll();
    return os::read_some(output, buffer).value_or(0);
  };
  while (const auto count = read_next()) {
    for (const char c : std::string_view(buffer.data(), count)) {
      if (c == '\n' || c == '\r' || pending.size() >= k_longest) {
        emit();
      } else {
        pending.push_back(c);
      }
    }
  }
  emit();
  return {last.begin(), last.end()};
}

} // namespace

std::string
required_program(const std::string& name, const std::string& package, const std::string& purpose) {
  const auto path = os::find_program(name);
  if (!path) {
    throw Error(ErrorCode::unavailable, "{} needs the program {}", purpose, name)
        .with_hint(fmt::format("apt install {}", package));
  }
  return *path;
}

std::map<std::string, std::string> tool_variables(const std::string& scratch) {
  std::map<std::string, std::string> env{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", scratch},
      {"TMPDIR", scratch},
      {"LC_ALL", "C.UTF-8"},
      {"SOURCE_DATE_EPOCH", k_source_date_epoch}};
  for (const auto* name : {"http_proxy", "https_proxy", "no_proxy", "ftp_proxy"}) {
    if (const char* value = std::getenv(name)) {
      env[name] = value;
    }
  }
  return env;
}

os::Outcome run_until_asked_to_stop(os::Command command, int stop) {
  constexpr auto k_patience = std::chrono::milliseconds(500);
  command.new_session = true;
  auto child = os::spawn(command);
  const auto group = -child.pid();
  std::optional<std::chrono::steady_clock::time_point> asked;
  while (true) {
    if (const auto outcome = child.try_wait()) {
      if (asked) {
        ::kill(group, SIGKILL);
      }
      return *outcome;
    }
    pollfd waiting{asked ? -1 : stop, POLLIN, 0};
    if (::poll(&waiting, 1, 50) > 0) {
      asked = std::chrono::steady_clock::now();
      ::kill(group, SIGTERM);
    } else if (asked && std::chrono::steady_clock::now() - *asked > k_patience) {
      ::kill(group, SIGKILL);
    }
  }
}

Followed follow_work(const std::function<Json(int output, int stop)>& work, const LineSink& line) {
  auto pipe = os::make_pipe();
  auto stop = os::make_pipe();
  auto working = std::async(std::launch::async, [&]() -> Json {
    const auto output = std::move(pipe.write_end);
    return work(output.get(), stop.read_end.get());
  });
  bool stopped = false;
  Followed followed;
  followed.last_lines = follow_lines(pipe.read_end.get(), line, [&] {
    if (!stopped && interruption_wanted()) {
      stopped = true;
      os::write_all(stop.write_end.get(), "s"); // closing it would not do: a forked child has it as well
    }
  });
  followed.result = working.get();
  if (stopped) {
    throw interruption_error();
  }
  return followed;
}

void run_tool(os::Command command, const LineSink& line) {
  const auto name = command.argv.front();
  command.die_with_parent = true;
  auto [result, last_lines] = follow_work(
      [&](int output, int stop) -> Json {
        const auto null = os::open_file("/dev/null", O_RDONLY);
        command.fds = {{0, null.get()}, {1, output}, {2, output}};
        const auto outcome = run_until_asked_to_stop(command, stop);
        return {{"ok", outcome.ok()}, {"outcome", os::to_string(outcome)}};
      },
      line);
  if (!get_bool(result, "ok")) {
    throw Error(ErrorCode::failed, "{} failed: {}", name, get_string(result, "outcome"))
        .with_output(std::move(last_lines));
  }
}

} // namespace pyro::environment
