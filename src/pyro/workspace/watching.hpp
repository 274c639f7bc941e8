// Applies a file again and again, as it and the files of its seed change.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

struct WatchOptions {
  ApplyOptions apply;
  std::vector<std::string> restart; // services that are restarted when files were brought in
};

/// Applies once, then after each change that the seed would have (ignored files are not looked at), until the
/// caller interrupts it: what changes together is brought in together, with seed.on_change: sync whatever the
/// file says. An apply that fails is told as an event, and the next change is another try; only the first has
/// to end well. {"applied": how many, "failed": how many}
Json watch_project(Context& context, const Project& project, const WatchOptions& options);

} // namespace pyro::workspace
