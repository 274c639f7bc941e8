#include "select.hpp"

#include "stat.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>

namespace pyro::seed {

namespace {

constexpr std::size_t k_max_ignore_file = 4 << 20;
constexpr std::uint32_t k_submodule_mode = 0160000;

/// git does not follow a symlinked .gitignore either.
std::shared_ptr<const IgnoreList> read_list(int directory, const std::string& name, std::string base) {
  auto file = os::maybe_open_beneath(directory, name, O_RDONLY | O_NONBLOCK);

  struct stat status {};

  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return nullptr;
  }
  return std::make_shared<const IgnoreList>(os::read_all(file->get(), k_max_ignore_file), std::move(base));
}

std::shared_ptr<const IgnoreList> read_list(const std::string& path, std::string base) {
  auto text = os::maybe_read_file(path, k_max_ignore_file);
  return text ? std::make_shared<const IgnoreList>(*text, std::move(base)) : nullptr;
}

std::string lines_of(const std::vector<std::string>& patterns) {
  std::string text;
  for (const auto& pattern : patterns) {
    if (pattern.find('\n') != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "seed.exclude: a pattern must not contain a line break");
    }
    text += pattern + "\n";
  }
  return text;
}

constexpr std::string_view k_git_directory = ".git";

bool is_dot_git(std::string_view path) {
  return path == k_git_directory || path.ends_with("/.git");
}

} // namespace

bool is_in_dot_git(std::string_view path) {
  return is_dot_git(path) || path.starts_with(".git/") || path.find("/.git/") != std::string_view::npos;
}

std::string SeedRepo::path_of(std::string_view path_in_seed) const {
  if (top_below_seed.empty()) {
    return joined(seed_below_top, path_in_seed);
  }
  path_in_seed.remove_prefix(std::min(top_below_seed.size() + 1, path_in_seed.size()));
  return std::string(path_in_seed);
}

SeedSelector::SeedSelector(const SeedRequest& request)
    : m_source(request.source), m_mode(request.git), m_history(request.history),
      m_excludes(lines_of(request.exclude), "") {
  if (m_mode == GitMode::all) {
    return;
  }
  auto checkout = find_checkout(m_source);
  if (!checkout) {
    return;
  }
  auto repo = std::make_shared<SeedRepo>();
  if (m_source != checkout->top) {
    repo->seed_below_top = m_source.substr(checkout->top == "/" ? 1 : checkout->top.size() + 1);
  }
  repo->index = GitIndex::read(*checkout);
  SeedRules rules = rules_of_checkout(*checkout, repo);
  // The .gitignore files between the top and the seed; that of the seed itself is read by enter().
  std::string above;
  bool ignored = false;
  for (const auto& component : std::filesystem::path(repo->seed_below_top)) {
    auto list = read_list(joined(checkout->top, joined(above, ".gitignore")), above);
    rules.git = rules.git.with(std::move(list));
    above = joined(above, component.string());
    ignored = ignored || rules.git.match(above, component.string(), true) == Match::ignored;
  }
  rules.tracked = repo->index.below(repo->seed_below_top);
  if (ignored && rules.tracked.empty()) {
    return; // somebody asked for a directory that git has nothing to do with
  }
  rules.only_tracked = (rules.only_tracked || ignored) && !repo->index.is_unlisted(repo->seed_below_top);
  m_root = std::move(rules);
}

SeedRules SeedSelector::rules_of_checkout(const GitCheckout& checkout, std::shared_ptr<SeedRepo> repo) const {
  SeedRules rules;
  rules.git = rules.git.with(read_list(checkout.common_dir + "/info/exclude", ""));
  rules.tracked = repo->index.below("");
  rules.only_tracked = m_mode == GitMode::tracked;
  rules.repo = std::move(repo);
  return rules;
}

SeedRules SeedSelector::enter(
    const SeedRules& inherited, int directory, const std::string& path, bool has_gitignore,
    bool has_pyroignore, bool has_dot_git) const {
  SeedRules rules = inherited;
  if (rules.repo && is_dot_git(path)) {
    rules.repo.reset();
    rules.git = {};
    rules.only_tracked = false;
  }
  const auto list = [&](const char* name, const std::string& base) {
    return naming_whole(m_source, joined(path, name), [&] { return read_list(directory, name, base); });
  };
  if (m_mode != GitMode::all && !is_in_dot_git(path)) {
    if (has_dot_git && !path.empty()) {
      if (auto checkout = checkout_at(joined(m_source, path))) {
        auto repo = std::make_shared<SeedRepo>();
        repo->top_below_seed = path;
        repo->index = GitIndex::read(*checkout);
        rules = rules_of_checkout(*checkout, std::move(repo));
        rules.pyro = inherited.pyro;
      }
    }
    if (has_gitignore && rules.repo) {
      rules.git = rules.git.with(list(".gitignore", rules.repo->path_of(path)));
    }
  }
  if (has_pyroignore) {
    rules.pyro = rules.pyro.with(list(".pyroignore", path));
  }
  return rules;
}

DirectorySelection::DirectorySelection(
    const SeedSelector& selector, const SeedRules& rules, std::string_view directory)
    : m_selector(selector), m_rules(rules), m_path(directory),
      m_is_history(selector.takes_history() && is_in_dot_git(directory)) {
  if (!m_path.empty()) {
    m_path += '/';
  }
  m_path_size = m_path.size();
  if (m_rules.repo) {
    m_repo_path = m_rules.repo->path_of(directory);
    if (!m_repo_path.empty()) {
      m_repo_path += '/';
    }
    m_repo_path_size = m_repo_path.size();
    list_tracked();
  }
}

void DirectorySelection::list_tracked() {
  const auto& files = m_rules.repo->index.files();
  for (std::size_t i = m_rules.tracked.first; i < m_rules.tracked.last;) {
    auto path = files[i].path;
    if (path.size() == m_repo_path_size) {
      m_unlisted = true;
      ++i;
      continue;
    }
    auto slash = path.find('/', m_repo_path_size);
    if (slash == std::string_view::npos) {
      m_tracked.push_back({path.substr(m_repo_path_size), {}, files[i].mode == k_submodule_mode});
      ++i;
      continue;
    }
    auto prefix = path.substr(0, slash + 1);
    auto begin = files.begin() + static_cast<std::ptrdiff_t>(i);
    auto end = files.begin() + static_cast<std::ptrdiff_t>(m_rules.tracked.last);
    auto next = std::partition_point(
        begin, end, [&](const TrackedFile& file) { return file.path.starts_with(prefix); });
    auto last = static_cast<std::size_t>(next - files.begin());
    m_tracked.push_back({path.substr(m_repo_path_size, slash - m_repo_path_size), {i, last}, true});
    i = last;
  }
  std::sort(
      m_tracked.begin(), m_tracked.end(), [](const Tracked& a, const Tracked& b) { return a.name < b.name; });
}

const DirectorySelection::Tracked* DirectorySelection::find_tracked(std::string_view name) {
  while (m_next < m_tracked.size() && m_tracked[m_next].name < name) {
    ++m_next;
  }
  return m_next < m_tracked.size() && m_tracked[m_next].name == name ? &m_tracked[m_next] : nullptr;
}

Match DirectorySelection::pyro_match(std::string_view name, bool is_directory) {
  if (m_rules.pyro.empty() && m_selector.excludes().empty()) {
    return Match::none;
  }
  m_path.resize(m_path_size);
  m_path += name;
  Match match = m_selector.excludes().match(m_path, name, is_directory);
  return match != Match::none ? match : m_rules.pyro.match(m_path, name, is_directory);
}

Match DirectorySelection::git_match(std::string_view name, bool is_directory) {
  if (m_rules.git.empty()) {
    return Match::none;
  }
  m_repo_path.resize(m_repo_path_size);
  m_repo_path += name;
  return m_rules.git.match(m_repo_path, name, is_directory);
}

DirectorySelection::Verdict DirectorySelection::judge(std::string_view name, bool is_directory) {
  if (m_is_history) {
    return {.taken = true}; // a rule that fits a branch's name must not take that out
  }
  const bool is_history = m_rules.repo && name == k_git_directory;
  if (is_history && !m_selector.takes_history()) {
    return {};
  }
  Match ours = pyro_match(name, is_directory);
  if (ours == Match::ignored) {
    return {};
  }
  if (!m_rules.repo || is_history) {
    return {.taken = true};
  }
  const Tracked* tracked = find_tracked(name);
  if (tracked != nullptr && tracked->is_directory == is_directory) {
    bool ignored = m_rules.only_tracked;
    if (!ignored && is_directory && ours != Match::included) {
      ignored = git_match(name, true) == Match::ignored;
    }
    return {.taken = true, .only_tracked = ignored, .tracked = tracked->below};
  }
  if (ours == Match::included && m_selector.mode() != GitMode::tracked) {
    return {.taken = true};
  }
  // What a sparse index leaves out and is there all the same goes by the ignore rules alone: whether git
  // tracks it stands in objects, which may not even be here.
  if ((m_rules.only_tracked && !m_unlisted) || git_match(name, is_directory) == Match::ignored) {
    return {};
  }
  return {.taken = true};
}

} // namespace pyro::seed
