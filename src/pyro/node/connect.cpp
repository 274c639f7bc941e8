#include "connect.hpp"

#include "lease_directory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/version.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace pyro::node {

namespace {

constexpr std::string_view k_greeting = "pyro-node 1 ";
constexpr int k_tries = 200;
constexpr std::chrono::milliseconds k_between_tries{100};

os::Fd reach(const LeaseDirectory& directory) {
  for (int count = 0; count < k_tries; ++count) {
    if (os::exists(directory.socket())) {
      check_is_ours(directory);
      if (auto socket = os::maybe_connect_unix(directory.socket())) {
        return std::move(*socket);
      }
    }
    std::this_thread::sleep_for(k_between_tries);
  }
  throw Error(ErrorCode::unavailable, "the lease's process does not listen in {}", directory.path);
}

/// False: the end, of either.
bool pass(int from, int to) {
  std::array<char, 65536> buffer{};
  const auto count = ::read(from, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  if (count <= 0) {
    return false;
  }
  os::write_all(to, {buffer.data(), static_cast<std::size_t>(count)});
  return true;
}

/// One process for each way: a reader who is slow on one holds up nothing on the other.
[[noreturn]] void carry(int from, int to) {
  try {
    while (pass(from, to)) {
    }
  } catch (const Error&) { // the other end is gone
  }
  ::_exit(0);
}

} // namespace

std::string greeting() {
  return fmt::format("\n{}{}\n", k_greeting, operations::version());
}

bool is_greeting(std::string_view line) {
  return line.starts_with(k_greeting);
}

std::string_view version_in(std::string_view line) {
  return line.substr(k_greeting.size());
}

int connect() {
  std::signal(SIGPIPE, SIG_IGN);
  const auto socket = reach(lease_directory());
  os::write_all(STDOUT_FILENO, greeting());
  std::signal(SIGCHLD, [](int) { ::_exit(0); }); // whichever ends first ends both
  const auto pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    throw Error::from_errno(error, "fork");
  }
  if (pid == 0) {
    carry(STDIN_FILENO, socket.get());
  }
  try {
    while (pass(socket.get(), STDOUT_FILENO)) {
    }
  } catch (const Error&) { // nobody reads
  }
  std::signal(SIGCHLD, SIG_DFL);
  ::kill(pid, SIGKILL);
  return 0;
}

} // namespace pyro::node
