// Packages that were installed by hand, as commands of a step that installs the same again. What was found:
// state/package_databases.hpp.
#pragma once

#include <pyro/workspace/state/package_databases.hpp>

#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

struct PackageScripts {
  std::string setup;   // empty: nothing
  std::string prepare; // what lies in the seed's directory
  std::vector<std::string>
      directories;             // that the commands make with all that is in them; relative to the root
  std::set<std::string> notes; // what may be other when the commands run
};

/// `seed`: the seed's directory, relative to the root. `changed`: all paths that differ.
PackageScripts package_scripts(
    const store::LayeredView& before, const store::LayeredView& after,
    const std::vector<PackageChange>& changes, const std::vector<std::string>& changed,
    const std::string& seed);

/// A word as a shell needs it.
std::string shell_word(const std::string& text);

} // namespace pyro::workspace
