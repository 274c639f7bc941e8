#include "http_head.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>

namespace pyro::gateway {

namespace {

std::string with_fields(std::string text, const std::vector<HeaderField>& fields) {
  for (const auto& field : fields) {
    text += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  return text + "\r\n";
}

} // namespace

std::vector<std::string> RequestHead::values_of(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) {
      values.push_back(field.value);
    }
  }
  return values;
}

std::string to_string(const RequestHead& head) {
  return with_fields(
      fmt::format("{} {} HTTP/{}.{}\r\n", head.method, head.target, head.version / 10, head.version % 10),
      head.fields);
}

std::string to_string(const ResponseHead& head) {
  return with_fields(
      fmt::format("HTTP/{}.{} {} {}\r\n", head.version / 10, head.version % 10, head.status, head.reason),
      head.fields);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return lower_case(a) == lower_case(b);
}

} // namespace pyro::gateway
