#include "event.hpp"

namespace pyro::workspace {

Json to_json(const Event& event) {
  return {{"kind", event.kind}, {"address", event.address}, {"text", event.text}, {"data", event.data}};
}

Event event_from_json(const Json& value) {
  const auto data = value.find("data");
  return {
      string_or(value, "kind", ""), string_or(value, "address", ""), string_or(value, "text", ""),
      data == value.end() ? Json() : *data};
}

} // namespace pyro::workspace
