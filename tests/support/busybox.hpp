// A root file system of one static program: small, so that a test spends its time on what it is about.
#pragma once

#include <filesystem>

namespace pyro::testing {

/// Makes `root` and fills it; an environment "dir:ROOT".
void make_busybox_root(const std::filesystem::path& root);

} // namespace pyro::testing
