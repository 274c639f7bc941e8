// Would git ignore this path, or the seed leave it out, if it were in the checkout? For what was made in a
// copy of it: the files need not be there. Which files a seed has is scan.hpp's business.
#pragma once

#include "select.hpp"

#include <pyro/os/fd.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

class IgnoredPaths {
public:
  /// `source`: the directory of a seed; `exclude`: its seed.exclude.
  IgnoredPaths(const std::string& source, const std::vector<std::string>& exclude);

  /// Relative to the source; the directories above it are not ignored themselves. What git tracks is not.
  bool has(std::string_view path, bool is_directory) const;

private:
  const SeedRules& rules_in(const std::string& directory) const;

  SeedSelector m_selector;
  os::Fd m_source;
  mutable std::map<std::string, SeedRules, std::less<>> m_rules; // of directories that were asked about
};

} // namespace pyro::seed
