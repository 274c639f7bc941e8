// Values as other tools spell them: variables, times, sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::foreign {

/// Compose's $NAME and ${NAME:-default} as ${env:NAME:-default}; one without a default is empty there where
/// it is not set, and so it is here.
std::string from_compose_variables(std::string_view text);

/// "1m30s", "500ms" → "90s", "500ms"; nullopt for what is none, or nothing.
std::optional<std::string> from_compose_duration(std::string_view text);
/// Of it in milliseconds.
std::optional<std::int64_t> milliseconds_of(std::string_view text);

/// Bytes of "512m", "1g", "8gb", "2GiB", "1073741824".
std::optional<std::uint64_t> bytes_of(std::string_view text);
/// "512MiB": rounded up to whole ones.
std::string mebibytes(std::uint64_t bytes);

/// Can variables have it as a name?
bool is_variable_name(std::string_view text);

/// "My Project!" → "My-Project"; empty where nothing of it can be in a name.
std::string name_from(std::string_view text);

} // namespace pyro::foreign
