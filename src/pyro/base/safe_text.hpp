// Text of others (names, messages, lines of logs) made safe to show: no character of it drives a terminal,
// changes the order of what is read, or hides. One style for all of pyro: \n, \r, \x1b for bytes, \u202e for
// characters.
#pragma once

#include <string>
#include <string_view>

namespace pyro {

bool is_utf8(std::string_view bytes);

/// Is a byte of it C0 (tabs and line ends too) or DEL? No header of HTTP can have one.
bool has_control_characters(std::string_view bytes);

/// Requests, answers and records are JSON, which is text: what a caller names (arguments, variables, paths)
/// is refused where it is no text, rather than changed. Error(usage) "WHAT is not UTF-8: ...".
void require_utf8(std::string_view bytes, std::string_view what);

/// The same bytes where they are UTF-8, U+FFFD for each byte that is not: JSON takes nothing else.
std::string to_utf8(std::string_view bytes);

/// Is this a control character (C0 but tab, DEL, C1), one that reorders text (bidirectional marks,
/// embeddings, overrides, isolates), one that breaks lines unseen, or one that is invisible and joins
/// nothing?
bool is_hidden_character(char32_t character);

/// One line: hidden characters escaped, line ends too; tabs stay.
std::string escape_controls(std::string_view text);

/// Several lines: like escape_controls(), but line ends stay.
std::string escape_lines(std::string_view text);

/// Text that already holds our own colours (ESC [ … m): these and line ends stay. For what goes to a
/// terminal, as the last word; who puts text of others together with colours escapes that text before.
std::string escape_painted(std::string_view text);

/// JSON that was written already: hidden characters as \u escapes, so that it is safe to show and the same to
/// a parser.
std::string escape_json(std::string_view json);

/// Lines that GitHub's runner would take for workflow commands ("::set-output…", "##[add-mask]") as text.
std::string escape_workflow_commands(std::string_view text);

} // namespace pyro
