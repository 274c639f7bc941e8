#include "ignored.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>
#include <fcntl.h>

namespace pyro::seed {

namespace {

SeedRequest request_for(const std::string& source, const std::vector<std::string>& exclude) {
  SeedRequest request;
  request.source = source;
  request.exclude = exclude;
  return request;
}

bool is_tracked(const SeedRepo& repo, std::string_view path_in_seed) {
  const auto path = repo.path_of(path_in_seed);
  const auto& files = repo.index.files();
  const auto found = std::lower_bound(
      files.begin(), files.end(), path,
      [](const TrackedFile& file, const std::string& wanted) { return file.path < wanted; });
  return (found != files.end() && found->path == path) || !repo.index.below(path).empty();
}

std::string directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

} // namespace

IgnoredPaths::IgnoredPaths(const std::string& source, const std::vector<std::string>& exclude)
    : m_selector(request_for(source, exclude)), m_source(os::open_file(source, O_RDONLY | O_DIRECTORY)) {
}

const SeedRules& IgnoredPaths::rules_in(const std::string& directory) const {
  if (const auto known = m_rules.find(directory); known != m_rules.end()) {
    return known->second;
  }
  const auto& above = directory.empty() ? m_selector.root_rules() : rules_in(directory_of(directory));
  const auto opened = directory.empty()
                          ? std::optional(os::duplicate(m_source.get()))
                          : os::maybe_open_beneath(m_source.get(), directory, O_RDONLY | O_DIRECTORY);
  if (!opened) {
    return m_rules.emplace(directory, above).first->second; // made in the copy
  }
  const bool has_dot_git = os::maybe_open_beneath(opened->get(), ".git", O_PATH).has_value();
  return m_rules
      .emplace(directory, m_selector.enter(above, opened->get(), directory, true, true, has_dot_git))
      .first->second;
}

bool IgnoredPaths::has(std::string_view path, bool is_directory) const {
  const auto& rules = rules_in(directory_of(path));
  const auto name = path.substr(path.rfind('/') + 1);
  auto ours = m_selector.excludes().match(path, name, is_directory);
  if (ours == Match::none) {
    ours = rules.pyro.match(path, name, is_directory);
  }
  if (ours != Match::none) {
    return ours == Match::ignored;
  }
  if (!rules.repo || name == ".git" || is_tracked(*rules.repo, path)) {
    return false;
  }
  return rules.git.match(rules.repo->path_of(path), name, is_directory) == Match::ignored;
}

} // namespace pyro::seed
