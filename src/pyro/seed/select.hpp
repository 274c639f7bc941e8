// Which names of a directory belong to a seed: git's view (index, .gitignore) and ours (.pyroignore,
// seed.exclude) together. The walk itself is seed_walk's business.
#pragma once

#include "git_index.hpp"
#include "gitignore.hpp"
#include "scan.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

/// A checkout that the walk is in: the one around the seed, or a submodule or nested checkout in it.
struct SeedRepo {
  GitIndex index;
  std::string seed_below_top; // where the seed lies in the checkout: "" or "a/b"
  std::string top_below_seed; // where the checkout lies in the seed: "" or "a/b"

  /// A path in the seed as the checkout calls it.
  std::string path_of(std::string_view path_in_seed) const;
};

/// Is this path of a seed a .git, or inside of one?
bool is_in_dot_git(std::string_view path);

/// What a directory inherits from those above it.
struct SeedRules {
  std::shared_ptr<const SeedRepo> repo; // null: no git here
  GitIndex::Range tracked;              // what the index has below this directory
  bool only_tracked = false;            // git ignores this directory, or mode `tracked`
  IgnoreRules git;
  IgnoreRules pyro;
};

/// The rules of one scan.
class SeedSelector {
public:
  /// Finds the checkout around the source.
  explicit SeedSelector(const SeedRequest& request);

  const SeedRules& root_rules() const { return m_root; }

  GitMode mode() const { return m_mode; }

  bool takes_history() const { return m_history == GitHistory::taken; }

  bool in_checkout() const { return m_root.repo != nullptr; }

  /// Rules for what is in this directory: its ignore files, or a checkout of its own if it has `.git`. Inside
  /// of a `.git` nothing is git's to choose.
  SeedRules enter(
      const SeedRules& inherited, int directory, const std::string& path, bool has_gitignore,
      bool has_pyroignore, bool has_dot_git) const;

  const IgnoreList& excludes() const { return m_excludes; }

  const std::string& source() const { return m_source; }

private:
  SeedRules rules_of_checkout(const GitCheckout& checkout, std::shared_ptr<SeedRepo> repo) const;

  std::string m_source;
  GitMode m_mode;
  GitHistory m_history;
  IgnoreList m_excludes;
  SeedRules m_root;
};

/// Asked for each name of one directory, in sorted order.
class DirectorySelection {
public:
  DirectorySelection(const SeedSelector& selector, const SeedRules& rules, std::string_view directory);

  struct Verdict {
    bool taken = false;
    bool only_tracked = false; // for a directory: of what is below only that
    GitIndex::Range tracked{};
  };

  Verdict judge(std::string_view name, bool is_directory);

private:
  struct Tracked {
    std::string_view name;
    GitIndex::Range below; // of a directory
    bool is_directory;     // on git's side; submodules too
  };

  void list_tracked();
  const Tracked* find_tracked(std::string_view name);
  Match pyro_match(std::string_view name, bool is_directory);
  Match git_match(std::string_view name, bool is_directory);

  const SeedSelector& m_selector;
  const SeedRules& m_rules;
  std::string m_path;      // "dir/" as the seed calls it, then the name asked for
  std::string m_repo_path; // the same as git calls it
  bool m_is_history;       // in a .git that is taken as it is
  std::size_t m_path_size;
  std::size_t m_repo_path_size = 0;
  bool m_unlisted = false; // a sparse index names this directory, not what is in it
  std::vector<Tracked> m_tracked;
  std::size_t m_next = 0;
};

} // namespace pyro::seed
