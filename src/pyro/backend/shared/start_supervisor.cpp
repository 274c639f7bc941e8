#include "start_supervisor.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <poll.h>

namespace pyro::backend {

namespace {

/// An emulated machine of a whole distribution takes 20 s, and a minute where others use the processors.
constexpr std::chrono::milliseconds k_start_limit{180'000};

/// To the end of the stream, but no longer than a sandbox may take to come up.
std::string read_answer(int fd) {
  const auto deadline = os::now_monotonic() + k_start_limit;
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto left = deadline - os::now_monotonic();
    pollfd waiting{fd, POLLIN, 0};
    if (left.count() <= 0) {
      throw Error(
          ErrorCode::timeout, "the sandbox did not come up within {} s", k_start_limit.count() / 1000);
    }
    constexpr std::int64_t k_look_every_ms = 200;
    check_interruption(); // the supervisor is killed with its owner, and the sandbox with it
    if (::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), k_look_every_ms))) <= 0) {
      continue;
    }
    const auto count = os::read_some(fd, buffer).value_or(0);
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), count);
  }
}

/// What it was told is not worth more than why it ended: that is read next.
void tell(os::Fd input, const LaunchSpec& spec) {
  try {
    os::write_all(input.get(), to_json(spec).dump());
  } catch (const Error& error) {
    if (error.error_number() != EPIPE) {
      throw;
    }
  }
}

/// {"launched": …} or {"error": …}; nullopt: it ended before it had said either.
std::optional<Json> understood(const std::string& text) {
  try {
    auto answer = parse_json(text, "the supervisor's answer");
    if (answer.is_object() && (answer.contains("error") || answer.contains("launched"))) {
      return answer;
    }
  } catch (const Error&) {
    // cut off
  }
  return std::nullopt;
}

} // namespace

Launched start_supervisor(const std::string& program, const LaunchSpec& spec) {
  validate(spec);
  auto input = os::make_pipe();
  auto output = os::make_pipe();
  const auto log_path = spec.runtime_dir + "/supervisor.log";
  const auto log = os::open_file(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  os::Command command{{program}};
  command.die_with_parent = spec.tied_to_starter;
  command.env = std::map<std::string, std::string>{{"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}};
  for (const char* name :
       {"USER", "PYRO_LOG", "PYRO_CRASH_AT", "PYRO_CRASH_LOG", "PYRO_CLOCK_OFFSET", "PYRO_FIRECRACKER",
        "PYRO_JAILER", "PYRO_NAME_SERVERS", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name)) {
      (*command.env)[name] = value;
    }
  }
  command.fds = {{0, input.read_end.get()}, {1, output.write_end.get()}, {2, log.get()}};
  auto child = os::spawn(command);
  input.read_end.reset();
  output.write_end.reset();
  tell(std::move(input.write_end), spec);
  const auto answer = understood(read_answer(output.read_end.get()));
  if (!answer) {
    const auto outcome = child.wait();
    throw Error(ErrorCode::failed, "the supervisor ended before the sandbox was up: {}", to_string(outcome))
        .with_output(last_lines(os::maybe_read_file(log_path, 1 << 20).value_or("")));
  }
  if (answer->contains("error")) {
    std::ignore = child.wait();
    throw error_from_json((*answer)["error"]).add_context("starting the sandbox");
  }
  auto launched = launched_from_json(value_at(*answer, "launched"));
  child.release(); // it lives on; whoever looks next finds it by its record
  return launched;
}

} // namespace pyro::backend
