#include "render_network.hpp"

#include "render_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

std::string render_hosts(const Json& hosts, Style style) {
  constexpr std::size_t k_most = 10;
  Table table("  ");
  for (std::size_t i = 0; i < std::min(hosts.size(), k_most); ++i) {
    const auto& host = hosts[i];
    const auto port = int_or(host, "port", 0);
    std::string counts;
    for (const auto* verdict : {"allowed", "denied", "failed"}) {
      if (const auto count = int_or(host, verdict, 0); count > 0) {
        counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, verdict);
      }
    }
    const bool is_denied = int_or(host, "denied", 0) > 0;
    table.add(
        {text_at(host, "host") + (port == 0 ? "" : fmt::format(":{}", port)),
         is_denied ? style.red(counts) : counts, bytes_at(host, "sent_bytes") + " out",
         bytes_at(host, "received_bytes") + " in", text_at(host, "reason")});
  }
  const auto more = hosts.size() > k_most ? fmt::format("  and {} more; ", hosts.size() - k_most) : "  ";
  return table.text() + more + "see: pyro network log\n";
}

} // namespace pyro::cli
