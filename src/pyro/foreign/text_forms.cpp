#include "text_forms.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace pyro::foreign {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// "NAME", "NAME:-default", "NAME-default", "NAME:?message" as here.
std::string expression_of(std::string_view inside) {
  std::size_t end = 0;
  while (end < inside.size() && is_word(inside[end])) {
    ++end;
  }
  const auto name = inside.substr(0, end);
  auto rest = inside.substr(end);
  if (name.empty() || name.find_first_of("0123456789") == 0) {
    return fmt::format("$${{{}}}", inside); // as text
  }
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
  }
  if (rest.starts_with('?')) {
    return fmt::format("${{env:{}:?{}}}", name, rest.substr(1));
  }
  const auto otherwise = rest.starts_with('-') ? rest.substr(1) : std::string_view{};
  const bool is_nested = otherwise.find("${") != std::string_view::npos;
  return fmt::format("${{env:{}:-{}}}", name, is_nested ? std::string_view{} : otherwise);
}

/// Behind the brace that closes the one before `at`.
std::size_t closing(std::string_view text, std::size_t at) {
  int depth = 1;
  for (; at < text.size(); ++at) {
    depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
    if (depth == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

} // namespace

std::string from_compose_variables(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') {
      result += text[at];
    } else if (text.substr(at, 2) == "$$") {
      result += "$$";
      ++at;
    } else if (text.substr(at, 2) == "${") {
      const auto end = closing(text, at + 2);
      if (end == std::string_view::npos) {
        result += "$$";
        continue;
      }
      result += expression_of(text.substr(at + 2, end - at - 2));
      at = end;
    } else {
      auto end = at + 1;
      while (end < text.size() && is_word(text[end])) {
        ++end;
      }
      const auto name = text.substr(at + 1, end - at - 1);
      const bool is_variable = is_variable_name(name);
      result += is_variable ? fmt::format("${{env:{}:-}}", name) : "$";
      at = is_variable ? end - 1 : at;
    }
  }
  return result;
}

std::optional<std::int64_t> milliseconds_of(std::string_view text) {
  std::int64_t total = 0;
  bool has_one = false;
  while (!text.empty()) {
    const auto digits = text.find_first_not_of("0123456789");
    const auto number = whole_number<std::int64_t>(text.substr(0, digits));
    if (!number || *number > 1'000'000'000 || digits == std::string_view::npos) {
      return std::nullopt;
    }
    text.remove_prefix(digits);
    const auto unit = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    const std::int64_t factor = unit == "h"    ? 3'600'000
                                : unit == "m"  ? 60'000
                                : unit == "s"  ? 1000
                                : unit == "ms" ? 1
                                               : 0;
    if (factor == 0) {
      return std::nullopt;
    }
    total += *number * factor;
    has_one = true;
    text.remove_prefix(unit.size());
  }
  return has_one && total > 0 ? std::optional(total) : std::nullopt;
}

std::optional<std::string> from_compose_duration(std::string_view text) {
  const auto value = milliseconds_of(text);
  if (!value) {
    return std::nullopt;
  }
  return *value % 1000 == 0 ? fmt::format("{}s", *value / 1000) : fmt::format("{}ms", *value);
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number<std::uint64_t>(text.substr(0, digits));
  if (!number || *number == 0 || *number > 1ULL << 40U) {
    return std::nullopt;
  }
  std::string unit;
  for (const char c : text.substr(digits)) {
    unit += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  const auto is = [&](std::string_view letter) {
    return unit == letter || unit == std::string(letter) + "b" || unit == std::string(letter) + "ib";
  };
  const int shift = is("k")                       ? 10
                    : is("m")                     ? 20
                    : is("g")                     ? 30
                    : is("t")                     ? 40
                    : unit.empty() || unit == "b" ? 0
                                                  : -1;
  if (shift < 0 || (*number << static_cast<unsigned>(shift)) >> static_cast<unsigned>(shift) != *number) {
    return std::nullopt;
  }
  return *number << static_cast<unsigned>(shift);
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{}MiB", std::max<std::uint64_t>(1, (bytes + (1U << 20U) - 1) >> 20U));
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::all_of(text.begin(), text.end(), is_word);
}

std::string name_from(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, 60)) {
    if (is_word(c) && !(name.empty() && c == '_')) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) {
    name.pop_back();
  }
  return name;
}

} // namespace pyro::foreign
