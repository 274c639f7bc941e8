#include "listeners.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

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
#include <set>
#include <string_view>
#include <unistd.h>

namespace pyro::agent {

namespace {

using Inodes = std::set<unsigned long long>;

constexpr unsigned k_listen = 0x0a; // TCP_LISTEN, as /proc/net/tcp writes it

/// An IPv4 address is the four words of its IPv6 form (RFC 4291, 2.5.5.2).
struct Endpoint {
  std::array<std::uint32_t, 4> words{};
  unsigned port = 0;
  bool is_ipv4 = false;
};

Endpoint endpoint_of(const SocketAddress& address) {
  Endpoint endpoint;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof(v4));
    endpoint.words = {0, 0, htonl(0xffff), v4.sin_addr.s_addr};
    endpoint.port = ntohs(v4.sin_port);
    endpoint.is_ipv4 = true;
    return endpoint;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof(v6));
  std::memcpy(endpoint.words.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
  endpoint.port = ntohs(v6.sin6_port);
  return endpoint;
}

/// Otherwise it may be anybody's in the network who listens there.
bool is_of_this_sandbox(SocketAddress address) {
  if (address.storage.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = 0;
  } else {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = 0;
  }
  const os::Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket
         && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0;
}

/// Of the sockets that listen at a port, those at exactly this address, and those at every address.
struct Found {
  Inodes exact;
  Inodes any;
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
    if (words == wanted.words) {
      found.exact.insert(inode);
    } else if (words == k_any || words == k_any_ipv4) {
      found.any.insert(inode);
    }
  }
}

Inodes sockets_at(const SocketAddress& address) {
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

/// None of a process that is gone or not ours to look at.
bool holds_one(pid_t pid, const Inodes& sockets) {
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

std::string describe(const ProcessStat& process) {
  std::string name;
  try {
    name = os::maybe_read_file(fmt::format("/proc/{}/comm", process.pid), 64).value_or("");
  } catch (const Error&) {
    name = "gone";
  }
  while (name.ends_with('\n')) {
    name.pop_back();
  }
  return fmt::format("process {} ({})", process.pid, to_utf8(name));
}

} // namespace

Listener find_listener(const Runtime& runtime, const std::string& service, const SocketAddress& address) {
  const auto sockets = sockets_at(address);
  if (sockets.empty() || !is_of_this_sandbox(address)) {
    return {};
  }
  const auto all = list_processes();
  std::vector<ProcessStat> holders;
  for (const auto& process : all) {
    if (process.pid != ::getpid() && holds_one(process.pid, sockets)) {
      holders.push_back(process);
    }
  }
  const auto own = runtime.services.find(service);
  const auto belongs_to = [&](const Lineage& lineage) {
    return std::any_of(
        holders.begin(), holders.end(), [&](const auto& holder) { return is_of(lineage, holder, all); });
  };
  if (holders.empty() || own == runtime.services.end() || belongs_to(own->second)) {
    return {Listening::as_wanted, {}};
  }
  for (const auto& [name, lineage] : runtime.services) {
    if (name != service && belongs_to(lineage)) {
      return {Listening::foreign, "the service " + name};
    }
  }
  const auto leader =
      std::find_if(all.begin(), all.end(), [&](auto& one) { return one.pid == own->second.leader; });
  const auto is_older = [&](const ProcessStat& holder) {
    return leader != all.end() && holder.started < leader->started;
  };
  if (std::all_of(holders.begin(), holders.end(), is_older)) {
    return {Listening::foreign, describe(holders.front()) + ", which is older than the service,"};
  }
  return {Listening::as_wanted, {}};
}

} // namespace pyro::agent
