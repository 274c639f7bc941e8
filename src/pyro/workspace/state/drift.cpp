#include "drift.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/plan/recipe.hpp>
#include <pyro/seed/gitignore.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>

namespace pyro::workspace {

namespace {

std::string relative(const std::string& path) {
  const auto first = path.find_first_not_of('/');
  return first == std::string::npos ? "" : path.substr(first);
}

/// A path may be quoted, as git quotes what is no UTF-8.
std::string absolute(const std::string& path) {
  return !path.empty() && path.front() == '"' ? "\"/" + path.substr(1) : "/" + path;
}

/// How patches name what is at `path` of the sandbox.
void name_in_patches(store::DiffEntry& entry, const std::string& path, const DiffRequest& request) {
  const auto below = relative(request.seed_directory);
  const auto seed = below.empty() ? below : below + "/";
  const bool in_seed = path.starts_with(seed);
  entry.patch_path = in_seed ? path.substr(seed.size()) : path;
  entry.in_patch = in_seed || request.whole_patch;
}

store::Stack stack_of(const Context& context, const store::LayerStack& layers) {
  return store::Stack::of(context.layers.trees(layers.layers), layers.host_directories);
}

struct Below {
  std::string root; // what the paths are relative to
  std::vector<store::DiffEntry> entries;
};

/// What differs at or below `root`, which may be a file of either side.
Below entries_below(
    const Context& context, const store::Stack& current, const DiffRequest& request,
    const std::string& root) {
  std::string patterns;
  for (const auto& pattern : request.ignore) {
    patterns += pattern + "\n";
  }
  const seed::IgnoreList ignores(patterns, "");
  const auto before = stack_of(context, request.before);
  store::DiffOptions options;
  options.root = relative(root);
  const bool is_file = !options.root.empty() && !store::LayeredView(before).directory(options.root)
                       && !store::LayeredView(current).directory(options.root);
  const auto slash = options.root.rfind('/');
  const auto file = is_file ? options.root.substr(slash == std::string::npos ? 0 : slash + 1) : "";
  if (is_file) {
    options.root = slash == std::string::npos ? "" : options.root.substr(0, slash);
  }
  options.ignored = [&](const std::string& path, bool is_directory) {
    const auto whole = options.root.empty() ? path : options.root + "/" + path;
    const auto name = std::string_view(whole).substr(whole.rfind('/') + 1);
    return ignores.match(whole, name, is_directory) == seed::Match::ignored
           || (request.leaves_out && request.leaves_out(whole, is_directory));
  };
  auto entries = store::compute_diff(before, current, options);
  if (is_file) {
    std::erase_if(entries, [&](const store::DiffEntry& entry) { return entry.path != file; });
  }
  return {options.root, std::move(entries)};
}

} // namespace

store::LayerStack base_stack_of(const store::WorkspaceRecord& record) {
  return {record.base.layers.value_or(record.layers), record.host_directories};
}

store::Stack current_stack(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  refresh_upper(context, paths, record);
  const auto parts = store::parts_of_generation(paths.generation(record.generation), record.host_directories);
  return store::with_uppers(stack_of(context, {record.layers, record.host_directories}), parts);
}

const std::vector<std::string>& built_in_ignores() {
  static const std::vector<std::string> s_patterns{
      "/tmp/*",          "/var/tmp/*",  "/var/log/",     "/var/cache/",         "/run/",
      "/dev/",           "/proc/",      "/sys/",         "/var/lib/apt/lists/", "/root/.cache/",
      "/home/*/.cache/", "/root/.npm/", "/home/*/.npm/", "/etc/resolv.conf",    "/etc/mtab",
      "**/__pycache__/", "/.pyro/",     "/var/lib/pyro/"};
  return s_patterns;
}

namespace {

/// Addresses by the directory of a layer's tree.
using Origins = std::map<std::string, std::string>;

/// Of the layers below the workspace: the links that it was made by, else what is noted with the layer.
Origins
origins_of(const Context& context, const store::WorkspaceRecord& record, const store::LayerStack& before) {
  Origins origins;
  for (const auto& link : plan::chain_from_json(record.links)) {
    const auto recipe = context.recipes.find(link.key, store::Touch::no);
    for (const auto& digest : recipe ? recipe->layers : std::vector<HexDigest>{}) {
      origins.emplace(context.layers.tree(digest), link.address);
    }
  }
  for (const auto& digest : before.layers) {
    if (const auto manifest = context.layers.find(digest)) {
      origins.emplace(
          context.layers.tree(digest), manifest->kind == "image" ? "environment" : manifest->created_by);
    }
  }
  for (const auto& directory : before.host_directories) {
    origins.emplace(directory.path, "environment");
  }
  return origins;
}

std::string origin_of(const store::DiffEntry& entry, const Origins& origins) {
  const auto found = entry.before ? origins.find(entry.before->tree) : origins.end();
  return found == origins.end() ? "" : found->second;
}

/// What differs below all roots, as far as it is asked for.
std::vector<Change> changes_below(
    const Context& context, const store::Stack& current, const DiffRequest& request, const Origins& origins) {
  std::vector<Change> changes;
  for (const auto& root : request.roots) {
    auto below = entries_below(context, current, request, root);
    for (auto& entry : below.entries) {
      auto path = below.root.empty() ? entry.path : below.root + "/" + entry.path;
      if (!request.only || request.only->matches("/" + path)) {
        auto origin = origin_of(entry, origins);
        changes.push_back({std::move(path), std::move(entry), std::move(origin)});
      }
    }
  }
  return changes;
}

DriftCauses causes_of(
    const Context& context, const store::Stack& current, const DiffRequest& request,
    const std::vector<Change>& changes, const CauseFacts& facts) {
  std::vector<std::string> paths;
  for (const auto& change : changes) {
    paths.push_back(change.path);
  }
  return {stack_of(context, request.before), current, paths, facts};
}

} // namespace

Json examine_changes(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const DiffRequest& request, const std::function<Json(const Examined&)>& look) {
  const auto current = current_stack(context, paths, record);
  const auto origins = request.explained ? origins_of(context, record, request.before) : Origins{};
  return os::IdSpace::current().run([&]() -> Json {
    const auto changes = changes_below(context, current, request, origins);
    const auto facts = changes.empty() ? CauseFacts{} : cause_facts(paths, record);
    const auto causes = causes_of(context, current, request, changes, facts);
    return look(
        {store::LayeredView(stack_of(context, request.before)), store::LayeredView(current), changes,
         causes});
  });
}

Json diff_workspace(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const DiffRequest& request) {
  const bool is_whole =
      request.absolute_paths || request.roots.size() > 1 || relative(request.roots.front()).empty();
  const auto current = current_stack(context, paths, record);
  const auto origins = request.explained ? origins_of(context, record, request.before) : Origins{};
  return os::IdSpace::current().run([&]() -> Json {
    auto changes = changes_below(context, current, request, origins);
    std::vector<store::DiffEntry> all;
    for (auto& [path, entry, origin] : changes) {
      name_in_patches(entry, path, request);
      if (is_whole) {
        entry.path = path;
      }
      all.push_back(entry);
    }
    auto document = store::diff_document(all, request.patches);
    if (is_whole) {
      for (auto& entry : document["entries"]) {
        entry["path"] = absolute(entry["path"].get<std::string>());
      }
    }
    if (request.explained) {
      const auto facts = changes.empty() ? CauseFacts{} : cause_facts(paths, record);
      const auto causes = causes_of(context, current, request, changes, facts);
      for (std::size_t i = 0; i < all.size(); ++i) {
        document["entries"][i]["cause"] = causes.of(changes[i].path, all[i]);
        document["entries"][i]["origin"] = pyro::or_null(changes[i].origin);
      }
      document["causes"] = count_causes(document["entries"]);
    }
    if (request.patches == store::Patches::yes) {
      document["patch_left_out"] = Json::array();
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].in_patch) {
          document["patch_left_out"].push_back(document["entries"][i]["path"]);
        }
      }
    }
    return document;
  });
}

std::vector<plan::DriftEntry> find_drift(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const store::LayerStack& base, const DriftRequest& wanted) {
  DiffRequest request{base, wanted.report, built_in_ignores()};
  request.ignore.insert(request.ignore.end(), wanted.ignore.begin(), wanted.ignore.end());
  request.leaves_out = wanted.leaves_out;
  const auto found = examine_changes(context, paths, record, request, [&](const Examined& seen) {
    Json list = Json::array();
    for (const auto& [path, entry, origin] : seen.changes) {
      constexpr std::string_view k_letters = "AMDT";
      list.push_back(
          {"/" + path, std::string(1, k_letters[static_cast<std::size_t>(entry.status)]),
           seen.causes.of(path, entry), wanted.in_git ? Json(wanted.in_git("/" + path, entry)) : Json()});
    }
    return list;
  });
  std::vector<plan::DriftEntry> drift;
  for (const auto& entry : found) {
    const auto in_git = entry[3].is_boolean() ? std::optional(entry[3].get<bool>()) : std::nullopt;
    drift.push_back(
        {entry[0].get<std::string>(), entry[1].get<std::string>()[0], entry[2].get<std::string>(), in_git});
  }
  return drift;
}

} // namespace pyro::workspace
