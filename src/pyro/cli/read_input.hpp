// What a command gets to read: a file, or our standard input.
#pragma once

#include <cstddef>
#include <string>

namespace pyro::cli {

/// All of it; `path` empty or "-" is standard input. Throws Error(input_missing) for a file that is not
/// there, Error(invalid_argument) beyond `limit` bytes.
std::string read_input(const std::string& path, std::size_t limit);

} // namespace pyro::cli
