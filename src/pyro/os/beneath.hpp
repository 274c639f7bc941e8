// The directories of an untrusted tree by paths of any length, also beyond PATH_MAX. For short paths and
// single files maybe_open_beneath() (fd.hpp) does.
#pragma once

#include "fd.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pyro::os {

/// Never leaves `root`, never follows a symlink. Keeps the last directory open, since neighbours are asked
/// for one after the other; forget() once it may have been removed or replaced.
class Beneath {
public:
  /// `root` must stay open.
  explicit Beneath(int root) : m_root(root) {}

  struct Place {
    int directory; // valid until the next call
    std::string name;
  };

  /// The directory that holds the last component of a relative path. nullopt: not there, or no directory.
  std::optional<Place> place_of(std::string_view path);
  /// As above; Error(stale) where it is not there.
  Place require(std::string_view path);
  /// A directory itself; "" is the root.
  std::optional<Fd> directory(std::string_view path);

  void forget() { m_last.reset(); }

private:
  int m_root;
  std::string m_last_path;
  std::optional<Fd> m_last;
};

} // namespace pyro::os
