#include "request_pattern.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <algorithm>
#include <optional>

namespace pyro::egress {

namespace {

constexpr std::string_view k_example = "a method and a path, or * for every method: GET /repos/*";
constexpr std::size_t k_shown = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// RFC 3986, 2.3: these mean the same with and without escapes.
bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

std::optional<unsigned> hex_value(char c) {
  if (is_digit(c)) {
    return static_cast<unsigned>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? std::optional(static_cast<unsigned>(lower - 'a') + 10) : std::nullopt;
}

/// The letter that "%2F" at this place is; nullopt: there is no escape.
std::optional<char> escaped_at(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) {
    return std::nullopt;
  }
  const auto high = hex_value(text[at + 1]);
  const auto low = hex_value(text[at + 2]);
  return high && low ? std::optional(static_cast<char>(*high << 4U | *low)) : std::nullopt;
}

[[noreturn]] void refuse_path(std::string_view path, std::string_view why) {
  throw Error(ErrorCode::permission, "the path '{}' {}", path.substr(0, k_shown), why);
}

/// "..;x" is ".." to some servers.
void check_segments(std::string_view path, const std::string& decoded) {
  auto text = decoded;
  std::replace(text.begin(), text.end(), '\\', '/');
  const auto segments = fields_of(text, '/');
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const auto name = segments[i].substr(0, segments[i].find(';'));
    if (name == "." || name == "..") {
      refuse_path(path, "leads up, or nowhere: '.' and '..' are not matched with a list");
    }
    if (segments[i].empty() && i + 1 < segments.size()) {
      refuse_path(path, "has an empty part: '//' is not matched with a list");
    }
  }
}

} // namespace

bool RequestPattern::holds(std::string_view wanted_method, std::string_view wanted_path) const {
  if (method != "*" && method != wanted_method) {
    return false;
  }
  std::size_t at = 0;
  std::size_t in = 0;
  std::optional<std::pair<std::size_t, std::size_t>> star; // behind it here, and where it goes on there
  while (in < wanted_path.size()) {
    if (at < path.size() && path[at] == '*') {
      star = {++at, in};
    } else if (at < path.size() && path[at] == wanted_path[in]) {
      ++at;
      ++in;
    } else if (star) {
      at = star->first;
      in = ++star->second;
    } else {
      return false;
    }
  }
  return std::all_of(
      path.begin() + static_cast<std::ptrdiff_t>(at), path.end(), [](char c) { return c == '*'; });
}

RequestPattern request_pattern_from(const std::string& text) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorCode::invalid_argument, "'{}' {}", text, why).with_hint(std::string(k_example));
  };
  const auto space = text.find(' ');
  if (space == std::string::npos) {
    fail("is no method and path");
  }
  RequestPattern pattern{text.substr(0, space), text.substr(space + 1)};
  const bool is_method =
      !pattern.method.empty() && std::all_of(pattern.method.begin(), pattern.method.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || c == '-';
      });
  if (pattern.method != "*" && !is_method) {
    fail("has no method: methods are in capitals");
  }
  const bool is_printable = std::all_of(
      pattern.path.begin(), pattern.path.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (!pattern.path.starts_with('/') || !is_printable) {
    fail("has no path: one begins with '/' and has no spaces");
  }
  if (pattern.path.find_first_of("?#") != std::string::npos) {
    fail("has a query: only the path is looked at");
  }
  try {
    const auto plain = plain_path(pattern.path);
    if (plain != pattern.path) {
      throw Error(ErrorCode::permission, "is written '{}'", plain);
    }
  } catch (const Error& error) {
    fail(fmt::format("can never match: {}", error.message()));
  }
  return pattern;
}

std::string to_string(const RequestPattern& pattern) {
  return pattern.method + " " + pattern.path;
}

std::string plain_path(std::string_view target) {
  const auto path = target.substr(0, target.find_first_of("?#"));
  std::string plain;
  std::string decoded;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const auto escaped = escaped_at(path, at);
    if (!escaped) {
      if (path[at] == '%') {
        refuse_path(path, "has a '%' that escapes nothing");
      }
      plain += path[at];
      decoded += path[at];
      continue;
    }
    decoded += *escaped;
    if (is_unreserved(*escaped)) {
      plain += *escaped;
    } else {
      for (const char c : path.substr(at, 3)) {
        plain += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
      }
    }
    at += 2;
  }
  for (std::size_t at = 0; at < decoded.size(); ++at) {
    if (escaped_at(decoded, at)) {
      refuse_path(path, "is escaped twice");
    }
    if (static_cast<unsigned char>(decoded[at]) < ' ' || decoded[at] == '\x7f') {
      refuse_path(path, "has a control character");
    }
  }
  if (path.find('\\') != std::string_view::npos) {
    refuse_path(path, "has a backslash");
  }
  if (!path.starts_with('/') && path != "*") {
    refuse_path(path, "does not begin with '/'");
  }
  check_segments(path, decoded);
  return plain;
}

} // namespace pyro::egress
