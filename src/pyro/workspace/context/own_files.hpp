// What pyro itself writes into a checkout beside pyro.yaml; relative to the directory of that. None of it is
// part of a seed.
#pragma once

#include <string_view>

namespace pyro::workspace {

/// The JSON Schema for editors: editor_schema.hpp.
inline constexpr std::string_view k_schema_path = ".pyro/pyro-1.schema.json";

/// What the names of images stand for: lock_file.hpp.
inline constexpr std::string_view k_lock_name = "pyro.lock";

} // namespace pyro::workspace
