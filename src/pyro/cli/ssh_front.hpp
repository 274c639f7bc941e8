// How `pyro ssh-config` reaches what only the program knows: where its ssh server and its keys are. app/
// hands it in.
#pragma once

#include <pyro/base/json_access.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::cli {

/// What ssh calls a workspace, and how the server finds it: its id or name.
struct SshHost {
  std::string host;
  std::string workspace;
};

struct SshConfigRequest {
  std::vector<SshHost> hosts;
  bool write = false; // into the user's configuration of ssh
};

/// {"config", "path", "hosts": [{"host", "workspace"}], "written"}: the text, the file where it belongs, and
/// whether it was put there. Makes the keys that it names.
using ConfigureSsh = std::function<Json(const SshConfigRequest&)>;

} // namespace pyro::cli
