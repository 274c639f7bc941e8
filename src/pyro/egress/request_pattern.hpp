// Which requests a secret may be put into: `allow: ["GET /repos/*"]`. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pyro::egress {

struct RequestPattern {
  std::string method; // as it is sent, or "*" for every one
  std::string path;   // begins with '/'; a '*' stands for any text, '/' as well

  /// `path`: as plain_path() gives it.
  bool holds(std::string_view method, std::string_view path) const;

  bool operator==(const RequestPattern&) const = default;
};

/// Throws Error(invalid_argument) that says what is wrong with it; its hint, what to write instead.
RequestPattern request_pattern_from(const std::string& text);
std::string to_string(const RequestPattern& pattern);

/// The path of a request's target as patterns are compared with it: without the query, letters that were
/// escaped for no reason as they are. Throws Error(permission) for one that servers read in several ways: "."
/// and ".." however they are escaped, "//", a backslash, what is escaped twice, what begins without "/".
std::string plain_path(std::string_view target);

} // namespace pyro::egress
