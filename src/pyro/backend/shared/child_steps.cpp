#include "child_steps.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <array>
#include <cerrno>

namespace pyro::backend {

namespace {

/// One byte each, and read as one: a stream keeps no borders between messages.
constexpr std::string_view k_step = ".";

} // namespace

void let_go_on(int socket, const std::vector<int>& fds) {
  try {
    os::send_with_fds(socket, k_step, fds);
  } catch (const Error& error) {
    if (error.error_number() != EPIPE) {
      throw;
    }
  }
}

std::optional<std::vector<os::Fd>> await_step(int socket) {
  auto received = os::receive_with_fds(socket, k_step.size());
  if (received.bytes.empty()) {
    return std::nullopt;
  }
  return std::move(received.fds);
}

std::string report_of_child(int socket) {
  constexpr std::size_t k_most = 64 << 10;
  std::string report;
  std::array<char, 4096> buffer{};
  try {
    while (const auto count = os::read_some(socket, buffer).value_or(0)) {
      report.append(buffer.data(), count);
      if (report.size() > k_most) {
        throw Error(ErrorCode::protocol, "a child reports more than {} bytes", k_most);
      }
    }
  } catch (const Error& error) {
    if (error.error_number() != ECONNRESET) { // it ended without taking a step
      throw;
    }
  }
  return report;
}

} // namespace pyro::backend
