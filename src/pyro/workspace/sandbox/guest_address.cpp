#include "guest_address.hpp"

#include <pyro/os/fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <vector>

namespace pyro::workspace {

namespace {

/// "     |-- 10.0.2.15" is a leaf; its lines below tell what it is.
std::optional<std::string_view> leaf_of(std::string_view line) {
  constexpr std::string_view k_mark = "|-- ";
  const auto at = line.find(k_mark);
  return at == std::string_view::npos ? std::nullopt : std::optional(line.substr(at + k_mark.size()));
}

/// 24 for "           /24 link UNICAST".
std::optional<int> on_link_length(std::string_view line) {
  const auto at = line.find('/');
  int length = 0;
  if (at == std::string_view::npos || line.find(" link UNICAST") == std::string_view::npos) {
    return std::nullopt;
  }
  std::from_chars(line.data() + at + 1, line.data() + line.size(), length);
  return length >= 1 && length <= 32 ? std::optional(length) : std::nullopt;
}

/// In the order of the host, so that the network is the upper bits; 0 for what is no address.
std::uint32_t number_of(const std::string& address) {
  in_addr parsed{};
  return ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 ? ntohl(parsed.s_addr) : 0;
}

} // namespace

std::optional<std::string> address_in_fib_trie(std::string_view text) {
  std::vector<std::string> local;
  std::vector<std::pair<std::uint32_t, int>> on_link;
  std::string leaf;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto next = leaf_of(line)) {
      leaf = *next;
    } else if (line.find("/32 host LOCAL") != std::string_view::npos && !leaf.starts_with("127.")) {
      local.push_back(leaf);
    } else if (const auto length = on_link_length(line)) {
      on_link.emplace_back(number_of(leaf), *length);
    }
  }
  // The guard of the way out makes addresses of the machine local, too; those lie in no network of the
  // sandbox.
  const auto own = std::find_if(local.begin(), local.end(), [&](const auto& address) {
    return std::any_of(on_link.begin(), on_link.end(), [&](const auto& network) {
      const auto [start, length] = network;
      return (number_of(address) ^ start) >> (32 - length) == 0;
    });
  });
  return own == local.end() ? std::nullopt : std::optional(*own);
}

std::optional<std::string> guest_address(pid_t pid) {
  const auto text = os::maybe_read_file(fmt::format("/proc/{}/net/fib_trie", pid), 1 << 20);
  return text ? address_in_fib_trie(*text) : std::nullopt;
}

} // namespace pyro::workspace
