// Files of other tools → a draft of a pyro.yaml. Pure: what lies beside the file is asked for by ReadBeside.
#pragma once

#include "draft.hpp"

#include <string_view>

namespace pyro::foreign {

/// A compose.yaml. Error(invalid_file) at the place of what is no YAML, or no Compose file.
Draft import_compose(std::string_view text, const std::string& file, const ReadBeside& read);

/// A devcontainer.json, with comments and trailing commas. Errors as above.
Draft import_devcontainer(std::string_view text, const std::string& file, const ReadBeside& read);

} // namespace pyro::foreign
