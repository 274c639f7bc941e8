// The name that git gives to the content of a file.
#pragma once

#include <string>
#include <string_view>

namespace pyro {

enum class GitHash { sha1, sha256 };

/// As bytes: 20, or 32 in repositories of SHA-256.
std::string git_blob_name(std::string_view content, GitHash hash);

} // namespace pyro
