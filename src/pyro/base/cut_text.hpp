// UTF-8 that is cut into pieces: no piece ends within a character.
#pragma once

#include <cstddef>
#include <string_view>

namespace pyro {

/// How many bytes at the end may become a character with those that follow: at most three.
std::size_t unfinished_character(std::string_view bytes);

} // namespace pyro
