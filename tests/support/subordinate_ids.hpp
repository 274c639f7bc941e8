// Files of ids that are this user's without being it (/etc/subuid), as layers and caches hold them.
#pragma once

#include <string>
#include <vector>

namespace pyro::testing {

/// The command as one that may do everything with such files: an ordinary user runs it as root of a user
/// namespace with these ids.
std::vector<std::string> with_subordinate_ids(std::vector<std::string> argv);

/// rm -rf of a tree that may hold some; where it does not end well, the test fails.
void remove_with_subordinate_ids(const std::string& tree);

} // namespace pyro::testing
