#include "flag_values.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <algorithm>
#include <cctype>
#include <vector>

namespace pyro::cli {

namespace {

void check_choice(const Option& option, const std::string& where, const std::string& value) {
  if (option.choices.empty()) {
    return;
  }
  std::vector<std::string> choices;
  std::string_view rest = option.choices;
  while (!rest.empty()) {
    const auto bar = std::min(rest.find('|'), rest.size());
    choices.emplace_back(rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    const auto near = operations::nearest(value, choices);
    throw Error(ErrorCode::usage, "{}: '{}' is none of {}", where, value, option.choices)
        .with_hint(near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
}

} // namespace

void check_value(const Option& option, const std::string& where, const std::string& value) {
  if (value.empty()) {
    throw Error(ErrorCode::usage, "{}: the value is empty", where)
        .with_hint(fmt::format("leave {} out, or say which {}", where, option.value));
  }
  check_choice(option, where, value);
  if (option.value == "DURATION") {
    try {
      parse_duration(value);
    } catch (const Error& error) {
      throw Error(ErrorCode::usage, "{}: {}", where, error.what()).with_hint(error.hint());
    }
  }
  const bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char digit) {
    return std::isdigit(digit) != 0;
  });
  if (option.value == "N" && !is_number) {
    throw Error(ErrorCode::usage, "{}: '{}' is no number", where, value)
        .with_hint("write a whole number that is not negative");
  }
}

void refuse_tail(const std::string& text, std::string_view things) {
  throw Error(ErrorCode::usage, "--tail: '{}' is not a number of {}", text, things);
}

bool is_yes(const std::string& variable, const std::string& value) {
  for (const auto* yes : {"1", "true", "yes", "on"}) {
    if (value == yes) {
      return true;
    }
  }
  for (const auto* no : {"0", "false", "no", "off", "-1"}) {
    if (value == no) {
      return false;
    }
  }
  throw Error(ErrorCode::usage, "{}: '{}' is neither true nor false", variable, value);
}

} // namespace pyro::cli
