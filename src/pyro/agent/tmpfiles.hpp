// Lines of tmpfiles.d(5), as far as they make something in /run: what packages expect to be there when their
// services start. Text of the sandbox's own files: bounded, and what is not understood is left out. Making it
// is run_files.hpp's business.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::agent {

struct RunFile {
  enum class Kind { directory, file, link };

  Kind kind = Kind::directory;
  std::string path; // below /run: "postgresql", "lock/subsys"
  std::optional<mode_t> mode;
  std::string user;     // empty: root
  std::string group;    // empty: root
  std::string argument; // content of a file, target of a link
};

/// In the order of the lines: directories (d, D, v, q, Q), files (f) and links (L) below /run, /var/run or
/// /var/lock. Lines of other kinds, for other places, for what pyro has in /run itself, and with specifiers
/// but %t and %% are left out.
std::vector<RunFile> run_files_in(std::string_view text);

} // namespace pyro::agent
