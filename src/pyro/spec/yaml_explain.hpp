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

/// The scanner stopped at `place`, which is the byte `at`, saying `message`: looks for the usual traps on
/// that line, and for what was opened before and not closed.
Diagnostic
explain_yaml_error(std::string_view text, std::size_t at, const Position& place, const std::string& message);

} // namespace pyro::spec
