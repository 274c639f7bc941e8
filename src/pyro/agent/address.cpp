#include "address.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <sstream>

namespace pyro::agent {

std::vector<os::SocketAddress> resolve_host(const std::string& host, int port) {
  const auto numeric = [number = static_cast<std::uint16_t>(port)](const std::string& text) {
    return os::socket_address_from(text, number);
  };
  if (auto address = numeric(host)) {
    return {*address};
  }
  if (host == "localhost") {
    return {*numeric("127.0.0.1"), *numeric("::1")};
  }
  std::vector<os::SocketAddress> found;
  std::istringstream lines(os::maybe_read_file("/etc/hosts", 1 << 20).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string number;
    words >> number;
    for (std::string name; words >> name;) {
      if (auto address = name == host ? numeric(number) : std::nullopt) {
        found.push_back(*address);
      }
    }
  }
  if (found.empty()) {
    throw Error(ErrorCode::not_found, "the host '{}' is not an address and not in /etc/hosts", host);
  }
  return found;
}

} // namespace pyro::agent
