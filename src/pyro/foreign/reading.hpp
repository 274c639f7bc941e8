// What the readers of this folder share: looking into a tree of YAML that anybody wrote.
#pragma once

#include "draft.hpp"

#include <pyro/spec/yaml_tree.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::foreign {

/// The root map. Error(invalid_file) with every diagnostic where it is none.
spec::Node read_map(std::string_view text, const std::string& file);

/// The text of a scalar; empty of anything else.
std::string text_of_node(const spec::Node* node);
/// Of a scalar, or of each scalar in a list.
std::vector<std::string> texts_of_node(const spec::Node* node);

/// Words of a command as a POSIX shell splits them, without expanding anything.
std::vector<std::string> shell_words(std::string_view text);
/// Words as one command for a shell.
std::string shell_text(const std::vector<std::string>& words);

/// A path relative to the file that leads nowhere else, without "./" before it; empty: it is none.
std::string path_below(std::string_view path);

} // namespace pyro::foreign
