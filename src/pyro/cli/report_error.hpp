// An Error at the edge: as text, as a JSON document, or as an annotation of GitHub; and the exit status it
// gives.
#pragma once

#include "session.hpp"

#include <pyro/base/error.hpp>

#include <string>

namespace pyro::cli {

/// "pyro: error: pyro.yaml:3:5: while …: message", its last output lines, "hint: …".
std::string error_text(const Error& error, Style style);
/// {"error": {code, message, …}}; `details` are what a program needs to go on, null: nothing.
std::string error_document(const Error& error, const Json& details = nullptr);
/// Exit status of `command` (may be nullptr: none was found) failing like that; `signal` is what interrupted
/// us.
int exit_status_for(const Command* command, const Error& error, int signal);

/// Writes it where the format wants it.
void report_error(
    const Error& error, Format format, Console& console, Style style, const Json& details = nullptr);

} // namespace pyro::cli
