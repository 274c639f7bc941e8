// Room for a throw-away sandbox of a workspace: <workspace>/build/<random>.
#pragma once

#include <string>

namespace pyro::workspace {

/// Removed, with any sandbox that still runs in it, when the build ends however it ends; what a kill leaves,
/// the next command on the workspace removes.
class BuildDirectory {
public:
  explicit BuildDirectory(const std::string& workspace_directory);
  ~BuildDirectory();
  BuildDirectory(const BuildDirectory&) = delete;
  BuildDirectory& operator=(const BuildDirectory&) = delete;

  std::string runtime() const { return m_path + "/runtime"; }

  std::string generation() const { return m_path + "/gen"; }

private:
  std::string m_path;
};

} // namespace pyro::workspace
