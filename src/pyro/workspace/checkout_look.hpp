// What a directory says of the project in it: of what kind it is, what it needs, what it is tested with. The
// files of package managers are read by dependency_files.hpp, the text of pyro.yaml is made by
// first_file.hpp.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// A server that the project talks to.
struct Database {
  enum class Kind { redis, postgresql };

  Kind kind = Kind::redis;
  std::string sign; // the file that tells
};

struct CheckoutLook {
  std::string kind;      // one of kind_names()
  std::string lock_file; // beside what lists the dependencies: "package-lock.json"

  std::vector<std::string> missing;  // programs that it needs and `image: host` does not show
  std::vector<std::string> packages; // of Debian, that have what it needs
  std::vector<std::string> outputs;  // directories that it is built into, but for those git has files in

  bool has_dependencies = false;              // for the kind's package manager to fetch
  bool has_build_script = false;              // in package.json
  bool has_install_scripts = false;           // in package.json: they expect the sources
  bool has_sources_below_src = false;         // of Python: packages are looked for in src/
  bool has_flask_app = false;                 // as `flask run` finds it
  std::vector<std::string> pip_arguments;     // of `pip install`; empty: Debian's packages are enough
  std::vector<std::string> not_in_debian;     // requirements for which they are not
  bool is_more_required = false;              // than names and versions in pyproject.toml
  std::vector<std::string> requirement_files; // that list them: "requirements.txt"

  std::vector<Database> databases;
  std::string migrations; // the command that brings a database to the newest form
  std::string compose;    // "compose.yaml", where there is one
  std::string test;       // the command that runs the project's tests; empty: none was found
};

/// "cmake", "node", …
const std::vector<std::string>& project_kinds();

/// `kind` empty: by the files that are there.
CheckoutLook look_at_checkout(const std::string& directory, const std::string& kind);

} // namespace pyro::workspace
