// Identifiers that nobody can guess or repeat (getrandom(2)).
#pragma once

#include <cstddef>
#include <string>

namespace pyro::os {

/// `bytes` random bytes as lower-case hexadecimal.
std::string random_hex(std::size_t bytes);

/// Raw random bytes.
std::string random_bytes(std::size_t count);

} // namespace pyro::os
