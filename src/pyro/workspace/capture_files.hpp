// Files that were changed by hand, as commands of a step that makes them the same again: small ones with
// their content, links, modes, removals.
#pragma once

#include <pyro/workspace/state/drift.hpp>

#include <string>

namespace pyro::workspace {

class FileScript {
public:
  explicit FileScript(const Examined& seen) : m_seen(seen) {}

  /// Empty: it is in the script; else why it cannot be.
  std::string add(const Change& change);

  /// For /bin/sh, without "set -e"; empty: nothing was added.
  const std::string& text() const { return m_text; }

private:
  std::string add_entry(const Change& change, const store::Found& found);
  std::string add_file(const std::string& path, const store::Found& found);
  void remove(const std::string& path);
  void make_directories_above(const std::string& path);
  void set_mode_and_owner(const std::string& path, const store::Found& found, const store::Found* before);

  const Examined& m_seen;
  std::string m_text;
  std::set<std::string> m_made; // directories
  std::set<std::string> m_removed;
};

} // namespace pyro::workspace
