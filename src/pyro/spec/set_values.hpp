// Fields that are said on the command line (--set) put into the tree of a file, before anything of it is
// read: so they are typed, checked and refused as what is written there.
#pragma once

#include "reader.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pyro::spec {

/// Of ADDRESS and VALUE. A value that begins with [, {, " or ' is read as YAML, `null` deletes, and any other
/// is the text of a scalar. What an address leads to need not be in the file. Their place is the flag.
void apply_sets(Context& context, Node& tree, const std::vector<std::pair<std::string, std::string>>& sets);

} // namespace pyro::spec
