// The heads of HTTP/1 messages (RFC 9112) as values: what Beast's parser understood of them, and the text
// that says exactly that and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::gateway {

struct HeaderField {
  std::string name; // as it was sent
  std::string value;
};

struct RequestHead {
  std::string method;
  std::string target;
  int version = 11; // 10 or 11
  std::vector<HeaderField> fields;

  /// The values of the fields of that name, in their order.
  std::vector<std::string> values_of(std::string_view name) const;
};

struct ResponseHead {
  int version = 11;
  int status = 0;
  std::string reason;
  std::vector<HeaderField> fields;
};

/// With the empty line at its end.
std::string to_string(const RequestHead& head);
std::string to_string(const ResponseHead& head);

bool equals_ignoring_case(std::string_view a, std::string_view b);

} // namespace pyro::gateway
