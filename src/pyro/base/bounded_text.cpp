#include "bounded_text.hpp"

#include <fmt/format.h>

namespace pyro {

void BoundedText::add(std::string_view bytes) {
  if (m_begin.size() < m_half) {
    const auto first = bytes.substr(0, m_half - m_begin.size());
    m_begin += first;
    bytes.remove_prefix(first.size());
  }
  if (bytes.size() > m_half) {
    m_left_out += m_end.size() + bytes.size() - m_half;
    m_end = bytes.substr(bytes.size() - m_half);
    return;
  }
  m_end += bytes;
  if (m_end.size() > m_half) {
    m_left_out += m_end.size() - m_half;
    m_end.erase(0, m_end.size() - m_half);
  }
}

std::string BoundedText::text() const {
  if (!truncated()) {
    return m_begin + m_end;
  }
  return fmt::format("{}\n[… {} bytes left out …]\n{}", m_begin, m_left_out, m_end);
}

} // namespace pyro
