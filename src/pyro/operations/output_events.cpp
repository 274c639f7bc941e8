#include "output_events.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/cut_text.hpp>
#include <pyro/base/safe_text.hpp>

namespace pyro::operations {

OutputEvents::OutputEvents(std::string kind, std::function<void(const workspace::Event&)> sink)
    : m_kind(std::move(kind)), m_sink(std::move(sink)) {
}

void OutputEvents::add(std::string_view piece) {
  m_rest += piece;
  const auto whole = piece.empty() ? m_rest.size() : m_rest.size() - unfinished_character(m_rest);
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
