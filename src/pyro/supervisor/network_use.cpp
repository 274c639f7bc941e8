#include "network_use.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_most_hosts = 256;
constexpr std::size_t k_most_refused = 256;
constexpr std::size_t k_most_told = 32;
constexpr std::size_t k_longest_text = 300;

std::string bounded(const Json& record, const char* key) {
  return string_or(record, key, "").substr(0, k_longest_text);
}

} // namespace

void NetworkUse::Counts::operator+=(const Counts& other) {
  allowed += other.allowed;
  denied += other.denied;
  failed += other.failed;
  sent += other.sent;
  received += other.received;
  last_at = std::max(last_at, other.last_at);
}

Json NetworkUse::to_json(const Counts& counts) {
  return {{"allowed", counts.allowed}, {"denied", counts.denied},           {"failed", counts.failed},
          {"sent_bytes", counts.sent}, {"received_bytes", counts.received}, {"last_at", counts.last_at}};
}

/// Who asks for many names that are refused does not push out those that were reached.
void NetworkUse::make_room() {
  const auto first = std::min_element(m_hosts.begin(), m_hosts.end(), [](const auto& one, const auto& other) {
    return std::tuple(one.second.allowed > 0, one.second.last_at)
           < std::tuple(other.second.allowed > 0, other.second.last_at);
  });
  m_others += first->second;
  m_hosts.erase(first);
}

NetworkUse::Counts& NetworkUse::of(const Json& record) {
  const Host host{bounded(record, "host"), int_or(record, "port", 0)};
  const auto known = m_hosts.find(host);
  if (known != m_hosts.end()) {
    return known->second;
  }
  if (m_hosts.size() == k_most_hosts) {
    make_room();
  }
  return m_hosts[host];
}

void NetworkUse::add_access(const Json& record, double now) {
  auto& counts = of(record);
  const auto verdict = string_or(record, "verdict", "");
  const auto count = int_or(record, "count", 1);
  (verdict == "allowed" ? counts.allowed : verdict == "denied" ? counts.denied : counts.failed) += count;
  counts.last_at = now;
  counts.reason = bounded(record, "reason");
  if (verdict != "denied") {
    return;
  }
  ++m_count_of_refused;
  m_refused.push_back(
      {{"host", bounded(record, "host")},
       {"port", int_or(record, "port", 0)},
       {"protocol", bounded(record, "protocol")},
       {"reason", counts.reason},
       {"allow", bounded(record, "allow")},
       {"count", count}});
  if (m_refused.size() > k_most_refused) {
    m_refused.pop_front();
  }
}

void NetworkUse::add_traffic(const Json& record) {
  auto& counts = of(record);
  counts.sent += int_or(record, "sent", 0);
  counts.received += int_or(record, "received", 0);
}

Json NetworkUse::counts() const {
  std::vector<std::map<Host, Counts>::const_iterator> order;
  for (auto at = m_hosts.begin(); at != m_hosts.end(); ++at) {
    order.push_back(at);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& one, const auto& other) {
    return one->second.last_at > other->second.last_at;
  });
  Json hosts = Json::array();
  for (const auto& at : order) {
    auto host = to_json(at->second);
    host["host"] = at->first.first;
    host["port"] = at->first.second;
    host["reason"] = at->second.reason;
    hosts.push_back(std::move(host));
  }
  return {{"hosts", std::move(hosts)}, {"others", m_others.last_at > 0 ? to_json(m_others) : Json()}};
}

Json NetworkUse::refused_since(std::uint64_t cursor) const {
  const auto unseen = m_count_of_refused - std::min(cursor, m_count_of_refused);
  const auto kept = std::min<std::uint64_t>(unseen, m_refused.size());
  auto left_out = static_cast<std::int64_t>(unseen - kept);
  std::map<Host, std::size_t> places;
  std::vector<Json> told;
  for (auto at = m_refused.end() - static_cast<std::ptrdiff_t>(kept); at != m_refused.end(); ++at) {
    const auto [place, is_new] =
        places.try_emplace({get_string(*at, "host"), get_int(*at, "port")}, told.size());
    if (!is_new && place->second >= k_most_told) {
      continue;
    }
    if (!is_new) {
      const auto count = get_int(told[place->second], "count") + get_int(*at, "count");
      told[place->second] = *at;
      told[place->second]["count"] = count;
    } else if (told.size() < k_most_told) {
      told.push_back(*at);
    } else {
      place->second = k_most_told;
      ++left_out;
    }
  }
  return {{"cursor", m_count_of_refused}, {"refused", told}, {"more", left_out}};
}

} // namespace pyro::supervisor
