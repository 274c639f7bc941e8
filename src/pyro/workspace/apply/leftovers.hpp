// What is left behind by using a workspace, and made again by using it again: nobody has to agree to its loss
// (docs/decisions/0056). What no drift report shows at all: built_in_ignores() in state/drift.hpp.
#pragma once

#include <pyro/seed/ignored.hpp>
#include <pyro/spec/spec.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

/// Patterns (gitignore syntax) of what tools and services keep for themselves.
const std::vector<std::string>& tool_leftovers();

class Leftovers {
public:
  /// `source`: the seed's directory on this machine; empty: it has none.
  Leftovers(const spec::Spec& spec, const std::string& source);

  /// A path in the sandbox, without the slash at its beginning.
  bool has(std::string_view path, bool is_directory) const;

private:
  bool is_ignored(std::string_view path, bool is_directory) const;

  seed::IgnoreList m_tools;
  std::string m_seed_root; // in the sandbox, without the slash at its beginning
  std::string m_source;
  std::vector<std::string> m_exclude;
  mutable std::unique_ptr<const seed::IgnoredPaths>
      m_ignored; // read when first asked: the index may be large
};

} // namespace pyro::workspace
