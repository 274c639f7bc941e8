// Which files of a running workspace a changed seed changes: found out by comparing layers, without entering
// the sandbox.
#pragma once

#include <pyro/store/diff.hpp>
#include <pyro/store/layered_view.hpp>
#include <pyro/workspace/sandbox/guest_change.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

struct SeedStacks {
  store::Stack before;
  store::Stack after;
  store::Stack inside;
  std::string root; // relative to the sandbox's root
};

class SeedDecisions {
public:
  /// Runs in the ids of the inside.
  explicit SeedDecisions(SeedStacks stacks);

  bool empty() const { return m_taken.empty() && m_removed.empty(); }

  /// Relative to the root of the seed, sorted.
  const std::set<std::string>& conflicts() const { return m_conflicts; }

  /// Directories whose mode changed outside and is another inside: it stays, though all below them is synced.
  const std::set<std::string>& kept_modes() const { return m_modes; }

  /// Everything of the change but its commit; `change` is rooted where the seed is.
  void send(GuestChange& change) const;

private:
  struct Taken {
    store::Found wanted;
    std::optional<store::Found> inside; // what it replaces, or takes its owner from
    mode_t mode;
    bool is_expected; // the change fails where it is not as it was seen here
  };

  void decide_entry(const store::DiffEntry& entry);
  void decide_directory(const store::DiffEntry& entry, const std::optional<store::Found>& inside);
  void decide_file(const store::DiffEntry& entry, const std::optional<store::Found>& inside);
  void decide_file_for_directory(const store::DiffEntry& entry, const std::optional<store::Found>& inside);

  void conflict(const std::string& path) { m_conflicts.insert(path); }

  bool is_reachable(const std::string& path) const;
  void remove_tree(const std::string& path);
  void send_removals(GuestChange& change) const;
  void send_parents(GuestChange& change, const std::string& path, std::set<std::string>& sent) const;

  std::string whole(const std::string& path) const;
  std::optional<store::Found> inside_at(const std::string& path) const;

  store::LayeredView m_before;
  store::LayeredView m_after;
  store::LayeredView m_inside;
  std::string m_root;
  std::map<std::string, Taken> m_taken;
  std::map<std::string, struct stat> m_removed;
  std::set<std::string> m_conflicts;
  std::set<std::string> m_modes;
  std::set<std::string> m_decided_trees; // trees that are decided as a whole
};

} // namespace pyro::workspace
