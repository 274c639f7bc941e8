// Durations ("500ms", "30s", "10m", "8h", "7d") and sizes ("512MiB", "2GiB") as pyro.yaml spells them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace pyro {

/// Throws Error(invalid_argument) naming the text where it is no duration.
std::chrono::milliseconds parse_duration(std::string_view text);

/// Bytes. KiB, MiB, GiB, TiB; a bare "G" or "GB" is refused with a hint, since tools disagree on its base.
std::uint64_t parse_size(std::string_view text);

/// The shortest exact spelling that parse_duration reads back: 90000 ms is "90s".
std::string format_duration(std::chrono::milliseconds value);

/// For people: "0.3 s", "12 s", "3 min", "2 h", "4 d".
std::string format_elapsed(std::chrono::milliseconds value);

/// For people: "12 B", "3.4 KiB", "590 MiB".
std::string format_bytes(std::uint64_t bytes);

} // namespace pyro
