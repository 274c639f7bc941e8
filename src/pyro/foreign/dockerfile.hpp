// The little of a Dockerfile that an import looks at: what its last stage stands on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyro::foreign {

/// The image of the last FROM, followed through stages; nullopt where a variable decides, or for `scratch`.
std::optional<std::string> base_of_dockerfile(std::string_view text);

} // namespace pyro::foreign
