#include "output_events.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/safe_text.hpp>

namespace pyro::operations {

namespace {

/// How many bytes a character has that begins with this one; 1 for what begins none.
std::size_t length_of_character(unsigned char first) {
  if (first >= 0xf0 && first < 0xf8) {
    return 4;
  }
  if (first >= 0xe0 && first < 0xf0) {
    return 3;
  }
  return first >= 0xc0 && first < 0xe0 ? 2 : 1;
}

/// Bytes at the end that may become a character with those that follow: at most three.
std::size_t unfinished(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (byte < 0x80) {
      return 0;
    }
    if (byte >= 0xc0) {
      return length_of_character(byte) > back ? back : 0;
    }
  }
  return 0;
}

} // namespace

OutputEvents::OutputEvents(std::string kind, std::function<void(const workspace::Event&)> sink)
    : m_kind(std::move(kind)), m_sink(std::move(sink)) {
}

void OutputEvents::add(std::string_view piece) {
  m_rest += piece;
  const auto whole = piece.empty() ? m_rest.size() : m_rest.size() - unfinished(m_rest);
  if (whole > 0) {
    m_sink(output_event(m_kind, "", std::string_view(m_rest).substr(0, whole)));
    m_rest.erase(0, whole);
  }
}

workspace::Event output_event(std::string kind, std::string address, std::string_view bytes) {
  workspace::Event event{std::move(kind), std::move(address), to_utf8(bytes), {}};
  if (!is_utf8(bytes)) {
    event.data = {{"base64", base64_encode(bytes)}};
  }
  return event;
}

} // namespace pyro::operations
