#include "traffic.hpp"

#include <chrono>

namespace pyro::gateway {

namespace {

constexpr std::chrono::milliseconds k_period{1'000};

} // namespace

std::shared_ptr<Traffic::Bytes> Traffic::of(const std::string& host, std::uint16_t port) {
  auto& bytes = m_hosts[{host, port}];
  if (!bytes) {
    bytes = std::make_shared<Bytes>();
  }
  arm();
  return bytes;
}

void Traffic::arm() {
  if (!m_is_armed) {
    m_is_armed = true;
    m_loop.after(k_period, [this] {
      m_is_armed = false;
      flush();
      if (!m_hosts.empty()) {
        arm();
      }
    });
  }
}

void Traffic::flush() {
  std::erase_if(m_hosts, [this](auto& host) {
    const auto& [key, bytes] = host;
    const bool is_new = bytes->sent > 0 || bytes->received > 0;
    const Json record{
        {"host", key.first}, {"port", key.second}, {"sent", bytes->sent}, {"received", bytes->received}};
    if (is_new && !m_write(record)) {
      return false;
    }
    *bytes = {};
    return bytes.use_count() == 1;
  });
}

} // namespace pyro::gateway
