// What the renderers share: reading keys of results as safe text, sizes and ages in words.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pyro::cli {

/// The value as one line of safe text; empty where it is missing or null.
std::string text_at(const Json& object, std::string_view key);

/// The workspace that a result is about: its name, else its id.
std::string subject_of(const Json& result);

/// The list, or an empty one.
const Json& list_at(const Json& object, const char* key);

/// "55.0 MiB"; empty where it is missing.
std::string bytes_at(const Json& object, std::string_view key);

/// Seconds since the epoch; 0 where it is missing or null.
double epoch_at(const Json& object, std::string_view key);

/// "2026-11-30T09:15:00.250Z" of such seconds.
std::string utc_at(const Json& object, std::string_view key);

/// "just now", "5 min ago", "in 3 h"; empty for 0.
std::string age_text(double epoch, double now);

/// "1 file", "3 files"; `many` where it is not `one` with an s.
std::string counted(std::int64_t count, std::string_view one, std::string_view many = "");

/// "0.3 s", "5 min": what lies between two times.
std::string span_text(double seconds);

/// Where a published port is reached on this machine: its URL, else address and port.
std::string place_of(const Json& port);

/// Green for what is well, red for what failed.
std::string colored_state(const std::string& state, Style style);

} // namespace pyro::cli
