// Tells when something in a directory changes, or in any below it (inotify(7)). What changed is not said: who
// asks looks himself.
#pragma once

#include "fd.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pyro::os {

class TreeWatch {
public:
  /// True: leave this path out, with all below it. Relative to the root.
  using Skip = std::function<bool(const std::string& path, bool is_directory)>;

  /// Error(failed) with a hint where the user may watch no more directories.
  TreeWatch(std::string root, Skip skip);

  /// Another file, by its path; what replaces it counts too.
  void add_file(const std::string& path);

  /// False: nothing has changed within this time.
  bool wait(std::chrono::milliseconds limit);

private:
  struct Watched {
    std::string directory; // relative to the root; of a single file: where it lies
    std::string only;      // the name of that file; empty: all
  };

  void add_tree(const std::string& directory);
  void add(const std::string& path, Watched watched);
  bool read_events();

  std::string m_root;
  Skip m_skip;
  Fd m_fd;
  std::map<int, std::vector<Watched>> m_watched;
};

} // namespace pyro::os
