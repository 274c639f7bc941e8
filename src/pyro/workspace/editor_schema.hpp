// The JSON Schema of pyro.yaml beside a project, where its first line tells editors to look, and what editors
// need in their settings.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

/// The first line of a pyro.yaml for editors with a YAML language server.
std::string editor_line();

/// Writes the schema beside the file of the project; with an editor ("vscode", "zed") also into its settings
/// for the directory, where it is added and nothing else is changed. {"files": [{"path", "changed"}]}.
/// Error(permission) where a symlink is in the way, Error(already_exists) where the settings say another
/// thing of that schema; then nothing of them was written.
Json install_schema(const Project& project, const std::string& editor);

} // namespace pyro::workspace
