#include "output_ring.hpp"

#include <algorithm>

namespace pyro::agent {

void OutputRing::append(std::string_view bytes) {
  m_bytes.append(bytes);
  if (const auto have = size(); have > m_capacity) {
    m_start += have - m_capacity;
    m_first += have - m_capacity;
  }
  if (m_start > m_capacity / 4) {
    m_bytes.erase(0, m_start);
    m_start = 0;
  }
}

std::string_view OutputRing::view(std::uint64_t position, std::size_t most) const {
  const auto from = std::clamp(position, m_first, end()) - m_first;
  return std::string_view(m_bytes).substr(m_start + from, most);
}

} // namespace pyro::agent
