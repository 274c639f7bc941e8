#include "tcp_listeners.hpp"

#include "fd.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <string_view>

namespace pyro::os {

namespace {

constexpr unsigned k_listen = 0x0a; // TCP_LISTEN, as /proc/net/tcp writes it

/// An IPv4 address is the four words of its IPv6 form (RFC 4291, 2.5.5.2).
struct Endpoint {
  std::array<std::uint32_t, 4> words{};
  unsigned port = 0;
  bool is_ipv4 = false;
};

Endpoint endpoint_of(const sockaddr_storage& address) {
  Endpoint endpoint;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    endpoint.words = {0, 0, htonl(0xffff), v4.sin_addr.s_addr};
    endpoint.port = ntohs(v4.sin_port);
    endpoint.is_ipv4 = true;
    return endpoint;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof(v6));
  std::memcpy(endpoint.words.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
  endpoint.port = ntohs(v6.sin6_port);
  return endpoint;
}

/// Of the sockets that listen at a port, those at exactly this address, and those at every address.
struct Found {
  SocketInodes exact;
  SocketInodes any;
};

/// "0100007F": words as they lie in memory.
std::array<std::uint32_t, 4> words_from(std::string_view digits) {
  std::array<std::uint32_t, 4> words{0, 0, htonl(0xffff), 0};
  const std::size_t count = std::min(digits.size() / 8, words.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = std::string(digits.substr(8 * i, 8));
    words[words.size() - count + i] = static_cast<std::uint32_t>(std::strtoul(number.c_str(), nullptr, 16));
  }
  return words;
}

/// The table begins with those who listen: what follows is not read.
void look_in_table(const char* path, const Endpoint& wanted, Found& found) {
  constexpr std::array<std::uint32_t, 4> k_any{};
  const std::array<std::uint32_t, 4> k_any_ipv4{0, 0, htonl(0xffff), 0};
  std::ifstream table(path);
  std::string line;
  std::getline(table, line); // names of the columns
  while (std::getline(table, line)) {
    std::array<char, 33> digits{};
    unsigned port = 0;
    unsigned state = 0;
    unsigned long long inode = 0;
    if (std::sscanf(
            line.c_str(), "%*s %32[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %llu", digits.data(), &port, &state,
            &inode)
            != 4
        || state != k_listen) {
      return;
    }
    if (port != wanted.port) {
      continue;
    }
    const auto words = words_from(digits.data());
    if (words == wanted.words || wanted.words == k_any || wanted.words == k_any_ipv4) {
      found.exact.insert(inode);
    } else if (words == k_any || words == k_any_ipv4) {
      found.any.insert(inode);
    }
  }
}

} // namespace

SocketInodes listening_sockets(const sockaddr_storage& address) {
  const auto wanted = endpoint_of(address);
  Found found;
  if (wanted.is_ipv4) {
    look_in_table("/proc/net/tcp", wanted, found);
    if (!found.exact.empty() || !found.any.empty()) {
      return found.exact.empty() ? found.any : found.exact;
    }
  }
  look_in_table("/proc/net/tcp6", wanted, found); // of both families, unless asked to be of one
  return found.exact.empty() ? found.any : found.exact;
}

bool holds_socket(pid_t pid, const SocketInodes& sockets) {
  const auto path = "/proc/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  while (auto* entry = directory ? ::readdir(directory.get()) : nullptr) {
    struct stat status {};

    if (::fstatat(::dirfd(directory.get()), entry->d_name, &status, 0) == 0 && S_ISSOCK(status.st_mode)
        && sockets.contains(status.st_ino)) {
      return true;
    }
  }
  return false;
}

std::vector<pid_t> holders_of(const SocketInodes& sockets) {
  std::vector<pid_t> holders;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
  while (auto* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const auto pid = whole_number<pid_t>(entry->d_name);
    if (pid && holds_socket(*pid, sockets)) {
      holders.push_back(*pid);
    }
  }
  return holders;
}

std::string name_of_process(pid_t pid) {
  std::string name;
  try {
    name = maybe_read_file(fmt::format("/proc/{}/comm", pid), 64).value_or("");
  } catch (const Error&) {
    // gone meanwhile
  }
  while (name.ends_with('\n')) {
    name.pop_back();
  }
  return name.empty() ? fmt::format("process {}", pid) : fmt::format("process {} ({})", pid, to_utf8(name));
}

} // namespace pyro::os
