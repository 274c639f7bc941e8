// What package managers have put into a root file system, as their own databases tell: dpkg's status, the
// dist-info directories of Python, the package.json of global npm packages. Content of a sandbox, so
// everything is bounded, and what makes no sense is passed over.
#pragma once

#include <pyro/store/layered_view.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

enum class PackageManager { apt, pip, npm };

std::string_view name_of(PackageManager manager);

struct Package {
  std::string version;
  bool wanted = true; // somebody asked for it; else others need it
  /// What pip was given instead of a name, as a requirement says it: "file:///opt/a.whl#sha256=…",
  /// "git+https://…@COMMIT"; "-e /srv/app": from there, as it is.
  std::string source = {};
};

/// By name; of another architecture than the root's own "libc6:i386".
using Packages = std::map<std::string, Package>;

Packages apt_packages(const store::LayeredView& root);
/// `place`: a site-packages or dist-packages directory. Those that pip or uv installed.
Packages pip_packages(const store::LayeredView& root, const std::string& place);
/// `place`: the global node_modules directory.
Packages npm_packages(const store::LayeredView& root, const std::string& place);

struct PackageChange {
  PackageManager manager = PackageManager::apt;
  std::string place; // of pip and npm: the directory, relative to the root
  std::string name;
  std::string before; // versions; empty: it was not there, or is there no more
  std::string after;
  bool wanted = true;
  std::string source = {};
};

/// The Python that the commands of a package of pip start, "/usr/bin/python3"; empty: it has none. `root`:
/// where it is.
std::string pip_interpreter(const store::LayeredView& root, const PackageChange& change);

/// What was installed, removed or brought to another version between two roots, and whose files are whose.
class PackageChanges {
public:
  /// `changed`: paths that differ, relative to the root; databases are read only where theirs are among them.
  PackageChanges(
      const store::LayeredView& before, const store::LayeredView& after,
      const std::vector<std::string>& changed);

  const std::vector<PackageChange>& all() const { return m_changes; }

  /// The manager whose packages or notes the file is of; nullptr: none that changed anything.
  const PackageManager* owner_of(const std::string& path) const;

private:
  void compare_apt(const store::LayeredView& before, const store::LayeredView& after);
  void
  compare_pip(const store::LayeredView& before, const store::LayeredView& after, const std::string& place);
  void
  compare_npm(const store::LayeredView& before, const store::LayeredView& after, const std::string& place);
  std::vector<std::string> note_changes(
      PackageManager manager, const std::string& place, const Packages& before, const Packages& after);

  std::vector<PackageChange> m_changes;
  std::map<std::string, PackageManager> m_files;
  std::map<std::string, PackageManager> m_directories; // with all below
};

} // namespace pyro::workspace
