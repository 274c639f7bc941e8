// What this machine has for workspaces: environments, doctor. What takes its disk: disk_use.hpp.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

Json list_environments(Context& context);

/// With `refresh` also where it is here already: another image may have its name by now.
Json pull_environment(Context& context, const std::string& image, bool refresh = false);

/// Error(bad_state) where a workspace or a snapshot stands on it. {"image", "digest", "size_bytes"}
Json remove_environment(Context& context, const std::string& image);

Json inspect_environment(Context& context, const std::string& image);

Json prune_environments(Context& context, bool dry_run);

/// {"format_version", "usable", "base", "checks": [{backend, name, ok: bool, level: ok|note|warning|error,
/// text, hint}], "objects": {...kernel objects owned}}. The same checks on every machine (docs/doctor.md).
Json examine_machine(Context& context);

} // namespace pyro::workspace
