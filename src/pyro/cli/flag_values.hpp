// What a value of a flag must be, whichever command it is for, on the command line or in a variable.
#pragma once

#include "command.hpp"

#include <pyro/base/text.hpp>

#include <string>
#include <string_view>

namespace pyro::cli {

/// What the value is called says what it must be. Throws Error(usage) naming `where`.
void check_value(const Option& option, const std::string& where, const std::string& value);

[[noreturn]] void refuse_tail(const std::string& text, std::string_view things);

/// The number of --tail; `things` ("events") are what it counts. Throws Error(usage) for what is none, or
/// negative.
template <typename Number>
Number tail_from(const std::string& text, std::string_view things) {
  const auto number = whole_number<Number>(text);
  if (!number || *number < 0) {
    refuse_tail(text, things);
  }
  return *number;
}

/// true, 1, yes, on. Throws Error(usage) for what is neither a yes nor a no.
bool is_yes(const std::string& variable, const std::string& value);

} // namespace pyro::cli
