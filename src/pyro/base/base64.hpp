// Bytes as text: base64 with padding.
#pragma once

#include <string>
#include <string_view>

namespace pyro {

std::string base64_encode(std::string_view bytes);
/// Throws Error(invalid_argument) for anything but padded base64.
std::string base64_decode(std::string_view text);

} // namespace pyro
