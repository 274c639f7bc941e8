#include "guest_address.hpp"

#include <pyro/os/fd.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::workspace {

namespace {

/// "     |-- 10.0.2.15" is a leaf; its lines below tell what it is.
std::optional<std::string_view> leaf_of(std::string_view line) {
  constexpr std::string_view k_mark = "|-- ";
  const auto at = line.find(k_mark);
  return at == std::string_view::npos ? std::nullopt : std::optional(line.substr(at + k_mark.size()));
}

} // namespace

std::optional<std::string> address_in_fib_trie(std::string_view text) {
  std::string_view leaf;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto next = leaf_of(line)) {
      leaf = *next;
    } else if (line.find("/32 host LOCAL") != std::string_view::npos && !leaf.starts_with("127.")) {
      return std::string(leaf);
    }
  }
  return std::nullopt;
}

std::optional<std::string> guest_address(pid_t pid) {
  const auto text = os::maybe_read_file(fmt::format("/proc/{}/net/fib_trie", pid), 1 << 20);
  return text ? address_in_fib_trie(*text) : std::nullopt;
}

} // namespace pyro::workspace
