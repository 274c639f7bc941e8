// Why YAML text cannot be read, in words that say what to change: yaml-cpp's own messages are thin.
#pragma once

#include "parse.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pyro::spec {

/// What must hold before the scanner sees the text: UTF-8, no control characters, no tab in indentation.
std::optional<Diagnostic> check_text(std::string_view text, const std::string& file);

/// Line number `line` (from 1) without its end; empty beyond the last.
std::string_view line_of(std::string_view text, int line);

/// The scanner stopped at `place` saying `message`: looks at that line for the usual traps.
Diagnostic explain_yaml_error(std::string_view text, Position place, const std::string& message);

} // namespace pyro::spec
