// The pyro.yaml that `pyro init` writes, by what the directory holds and which programs this machine has.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What a directory says of the project in it.
struct CheckoutLook {
  std::string kind;              // "cmake", "node", "python", "go", "rust", "static" or "generic"
  std::string lock_file;         // beside what lists the dependencies: "package-lock.json"
  bool has_requirements = false; // requirements.txt
  bool has_build_script = false; // in package.json
  std::set<std::string>
      tracked; // of the directories that such projects are built into: git has files in them
  std::vector<std::string> missing; // programs that it needs and this machine does not have
};

/// `kind` empty: by the files that are there.
CheckoutLook look_at_checkout(const std::string& directory, const std::string& kind);

/// The commented file; `name` is the workspace's.
std::string first_file(const CheckoutLook& look, const std::string& name);

/// Writes it where there is none yet: {"file", "kind", "name"}. Throws Error(already_exists).
Json write_first_file(const Project& project, const std::string& kind);

} // namespace pyro::workspace
