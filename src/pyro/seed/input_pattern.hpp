// What an entry of a step's `inputs` stands for: a path or a glob (`*`, `**`, `?`, `[..]`) from the seed's
// root, and what lies below. Ignore rules are gitignore's business.
#pragma once

#include <string>
#include <string_view>

namespace pyro::seed {

class InputPattern {
public:
  /// As it was written: `./lock`, `dir/` and `.` too. Error(invalid_argument) where it leads out of the seed.
  explicit InputPattern(std::string_view written);

  /// Does it stand for this path, or for a directory above it?
  bool covers(std::string_view path) const;

private:
  std::string m_glob;
};

} // namespace pyro::seed
