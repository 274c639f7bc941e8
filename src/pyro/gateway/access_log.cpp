#include "access_log.hpp"

#include <array>
#include <chrono>

namespace pyro::gateway {

namespace {

constexpr std::chrono::milliseconds k_period{1'000};
constexpr std::size_t k_most_per_period = 512;
constexpr std::array<std::string_view, 3> k_verdicts{"allowed", "denied", "failed"};

} // namespace

Json to_json(const Access& access, std::uint64_t count) {
  Json record{
      {"verdict", k_verdicts.at(static_cast<std::size_t>(access.verdict))},
      {"protocol", access.protocol},
      {"host", access.host},
      {"port", access.port},
      {"count", count}};
  for (const auto& [key, text] :
       {std::pair("address", &access.address), std::pair("rule", &access.rule),
        std::pair("reason", &access.reason), std::pair("allow", &access.allow)}) {
    if (!text->empty()) {
      record[key] = *text;
    }
  }
  return record;
}

void AccessLog::add(const Access& access) {
  if (m_again.empty() && m_left_out == 0) {
    m_loop.after(k_period, [this] { flush(); });
  }
  if (const auto found = m_again.find(access); found != m_again.end()) {
    ++found->second;
    return;
  }
  if (m_again.size() == k_most_per_period) {
    ++m_left_out;
    return;
  }
  m_again.emplace(access, 0);
  m_write(to_json(access, 1));
}

void AccessLog::flush() {
  for (const auto& [access, count] : m_again) {
    if (count > 0) {
      m_write(to_json(access, count));
    }
  }
  if (m_left_out > 0) {
    Access others;
    others.protocol = "other";
    others.reason = "more than could be written down";
    m_write(to_json(others, m_left_out));
  }
  m_again.clear();
  m_left_out = 0;
}

} // namespace pyro::gateway
