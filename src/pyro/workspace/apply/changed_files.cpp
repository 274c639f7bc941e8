#include "changed_files.hpp"

#include "seed_memory.hpp"
#include "synced_base.hpp"

#include <pyro/os/fd.hpp>
#include <pyro/seed/git_content.hpp>
#include <pyro/seed/input_pattern.hpp>

#include <algorithm>
#include <memory>
#include <set>

namespace pyro::workspace {

namespace {

HexDigest applied_tree(const std::vector<plan::Link>& applied) {
  for (const auto& link : applied) {
    for (const auto& input : link.inputs) {
      if (link.address == "seed" && input.name == "seed tree") {
        return input.digest;
      }
    }
  }
  return {};
}

/// The first few of a kind that pass.
void add(
    plan::FileChanges& changes, char kind, std::size_t& total, const std::vector<std::string>& paths,
    const std::function<bool(const std::string&)>& is_wanted, const std::optional<seed::GitContent>& git) {
  for (const auto& path : paths) {
    if (!is_wanted(path)) {
      continue;
    }
    if (total++ < plan::FileChanges::k_named) {
      const auto in_git = git ? std::optional(git->tracks(path)) : std::nullopt;
      changes.named.push_back({path, kind, in_git});
    }
  }
}

struct Changed {
  std::vector<std::string> modified;
  std::vector<std::string> added;
  std::vector<std::string> deleted;
};

/// Directories only where they are gone or empty: their files tell of the others.
Changed changed_since(const seed::SeedManifest& before, const seed::SeedScan& now) {
  const auto delta = seed::delta_of(before.entries, now.entries());
  Changed changed;
  for (const auto& path : delta.changed) {
    const auto* entry = now.find(path);
    const auto* old = before.find(path);
    const bool is_directory = entry != nullptr && entry->type == seed::SeedType::directory;
    if (is_directory && (old == nullptr || old->type == seed::SeedType::directory)) {
      continue;
    }
    (old == nullptr ? changed.added : changed.modified).push_back(path);
  }
  for (const auto& path : delta.deleted) {
    const auto* old = before.find(path);
    const bool was_directory = old != nullptr && old->type == seed::SeedType::directory;
    changed.deleted.push_back(was_directory ? path + "/" : path);
  }
  return changed;
}

plan::FileChanges summary_of(
    const Changed& changed, const std::optional<seed::GitContent>& git,
    const std::function<bool(const std::string&)>& is_wanted) {
  plan::FileChanges changes;
  add(changes, 'M', changes.modified, changed.modified, is_wanted, git);
  add(changes, 'A', changes.added, changed.added, is_wanted, git);
  add(changes, 'D', changes.deleted, changed.deleted, is_wanted, git);
  return changes;
}

} // namespace

std::map<std::string, plan::FileChanges> changed_files(
    const std::string& workspace_directory, const std::vector<plan::Link>& applied,
    const ResolvedInputs& resolved) {
  std::map<std::string, plan::FileChanges> result;
  const auto tree = applied_tree(applied);
  if (!resolved.scan || tree.empty() || tree == resolved.digests.seed_tree) {
    return result;
  }
  const auto before = recall_applied_seed(workspace_directory, tree);
  if (!before) {
    return result;
  }
  const auto changed = changed_since(*before, *resolved.scan);
  const auto git = seed::GitContent::of(resolved.scan->source());
  result["seed"] = summary_of(changed, git, [](const std::string&) { return true; });
  for (const auto& [address, inputs] : resolved.digests.step_inputs) {
    std::vector<seed::InputPattern> patterns;
    for (const auto& [written, unused] : inputs) {
      patterns.emplace_back(written);
    }
    auto of_step = summary_of(changed, git, [&](const std::string& path) {
      return std::any_of(
          patterns.begin(), patterns.end(), [&](const auto& pattern) { return pattern.covers(path); });
    });
    if (!of_step.empty()) {
      result[address] = std::move(of_step);
    }
  }
  return result;
}

std::function<bool(const std::string& path, const store::DiffEntry& entry)>
git_knowledge(const std::string& source, const std::string& seed_directory) {
  auto git = seed::GitContent::of(source);
  if (!git) {
    return {};
  }
  const auto root = "/" + relative_root(seed_directory);
  const auto prefix = root == "/" ? root : root + "/";
  return [git = std::make_shared<const seed::GitContent>(std::move(*git)),
          prefix](const std::string& path, const store::DiffEntry& entry) {
    constexpr std::size_t k_most = 16U << 20U; // of one file
    if (!path.starts_with(prefix)) {
      return false;
    }
    const auto name = path.substr(prefix.size());
    if (!git->tracks(name)) {
      return false;
    }
    if (!entry.after) {
      return true; // a deletion: the file itself is what git has
    }
    if (entry.after->is_symlink()) {
      return git->has(name, entry.after->link_target());
    }
    return entry.after->is_file() && static_cast<std::size_t>(entry.after->status.st_size) <= k_most
           && git->has(name, os::read_all(entry.after->open().get(), k_most));
  };
}

} // namespace pyro::workspace
