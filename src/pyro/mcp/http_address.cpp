#include "http_address.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tcp_socket.hpp>
#include <pyro/os/unix_socket.hpp>

#include <arpa/inet.h>
#include <charconv>
#include <filesystem>

namespace pyro::mcp {

namespace {

constexpr int k_highest_port = 65535;

Error no_address(std::string_view text) {
  return Error(ErrorCode::usage, "--http: '{}' is no address to listen at", text)
      .with_hint("127.0.0.1:8931, [::1]:8931, 127.0.0.1:0 for a free port, or unix:/path/to/socket");
}

} // namespace

bool is_ip(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1
         || ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool HttpAddress::is_loopback() const {
  return !unix_path.empty() || ip == "::1" || ip.starts_with("127.");
}

HttpAddress parse_http_address(std::string_view text) {
  HttpAddress address;
  if (text.starts_with("unix:")) {
    address.unix_path = text.substr(5);
    if (address.unix_path.empty()) {
      throw no_address(text);
    }
    address.unix_path = std::filesystem::absolute(address.unix_path).lexically_normal().string();
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    throw no_address(text);
  }
  const auto digits = text.substr(colon + 1);
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, address.port);
  if (read.ec != std::errc{} || read.ptr != end || address.port < 0 || address.port > k_highest_port) {
    throw no_address(text);
  }
  address.ip = text.substr(0, colon);
  if (address.ip.starts_with('[') && address.ip.ends_with(']')) {
    address.ip = address.ip.substr(1, address.ip.size() - 2);
  }
  if (address.ip.empty() || address.ip == "localhost") {
    address.ip = "127.0.0.1";
  }
  if (!is_ip(address.ip)) {
    throw no_address(text);
  }
  return address;
}

os::Fd listen_at(HttpAddress& address) {
  if (address.unix_path.empty()) {
    auto listener = os::listen_tcp(address.ip, address.port);
    address.port = os::port_of(listener.get());
    return listener;
  }
  const auto status = std::filesystem::symlink_status(address.unix_path);
  if (std::filesystem::exists(status) && !std::filesystem::is_socket(status)) {
    throw Error(ErrorCode::already_exists, "--http: {} exists and is no socket", address.unix_path);
  }
  if (os::maybe_connect_unix(address.unix_path)) {
    throw Error(ErrorCode::already_exists, "--http: somebody listens at {}", address.unix_path);
  }
  return os::listen_unix(address.unix_path);
}

std::string url_of(const HttpAddress& address) {
  if (!address.unix_path.empty()) {
    return "unix:" + address.unix_path;
  }
  return address.ip.find(':') == std::string::npos
             ? fmt::format("http://{}:{}/mcp", address.ip, address.port)
             : fmt::format("http://[{}]:{}/mcp", address.ip, address.port);
}

} // namespace pyro::mcp
