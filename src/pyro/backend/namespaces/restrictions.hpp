// What of a machine, or of the container that pyro runs in, keeps it from making sandboxes: each by name,
// with its remedy. That something is forbidden at all was tried (probe.hpp); here is found out by what.
#pragma once

#include <pyro/backend/backend.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::namespaces {

/// What trying said; nullopt: it worked.
struct Tried {
  std::optional<std::string> user_namespace;
  std::optional<std::string> hostname; // of a new UTS namespace
  std::optional<std::string>
      proc; // a new /proc in a new pid namespace; where there are user namespaces at all
};

/// One check for each of apparmor, userns-clone, max-user-namespaces, seccomp, proc, tun, always in this
/// order. `root`: the directory whose proc and dev are read; "" is this machine's.
std::vector<Check> restriction_checks(const Tried& tried, const std::string& root = "");

enum class Root { no, yes };

/// What to do where control groups with limits cannot be had.
std::string remedy_of_limits(Root is_root, const std::string& root = "");

} // namespace pyro::backend::namespaces
