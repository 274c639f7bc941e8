// Who made the changes in a workspace, as far as it can be told: from the databases of package managers,
// names that build tools give to what they make, owners, and times that the kernel keeps. What cannot be told
// is "other" (docs/decisions/0069).
#pragma once

#include "command_log.hpp"
#include "package_databases.hpp"

#include <pyro/seed/gitignore.hpp>
#include <pyro/store/diff.hpp>

#include <map>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What is known of a workspace beside its files.
struct CauseFacts {
  struct Span {
    double from = 0; // epoch seconds
    double to = 0;
  };

  std::vector<Span> commands;             // that ran in it, where nothing else did at the same time
  std::vector<std::string> service_users; // that nothing else runs as
};

/// `paths` and `record` of the workspace; reads its command log.
CauseFacts cause_facts(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

class DriftCauses {
public:
  /// `changed`: all paths that differ, relative to the root. Within os::IdSpace::run.
  DriftCauses(
      const store::Stack& before, const store::Stack& after, const std::vector<std::string>& changed,
      const CauseFacts& facts);

  /// "apt", "pip", "npm", "build", "service", "command" or "other". `path` is relative to the root.
  std::string of(const std::string& path, const store::DiffEntry& entry) const;

  const PackageChanges& packages() const { return m_packages; }

private:
  bool is_of_build(const std::string& path, const store::DiffEntry& entry) const;
  bool is_of_service(const store::DiffEntry& entry) const;
  bool is_of_command(const store::DiffEntry& entry) const;

  const CauseFacts& m_facts;
  PackageChanges m_packages;
  seed::IgnoreList m_build_outputs;
  std::set<uid_t> m_service_ids;
};

/// The causes of entries that have one each ("cause", "path"), the most frequent first: [{cause, count,
/// paths: the first five}].
Json count_causes(const Json& entries);

} // namespace pyro::workspace
