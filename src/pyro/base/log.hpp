// Diagnostics for the people who maintain pyro: to the file that PYRO_LOG names, off otherwise. Never to
// stdout. What a user must see is an Error or an event, not a log line.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace pyro::log {

void write(std::string_view text);
bool enabled();

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled()) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
}

} // namespace pyro::log
