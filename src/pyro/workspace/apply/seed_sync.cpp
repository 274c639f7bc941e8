#include "seed_sync.hpp"

#include "seed_decisions.hpp"
#include "three_way.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_writer.hpp>
#include <pyro/store/text_patch.hpp>
#include <pyro/workspace/state/drift.hpp>

namespace pyro::workspace {

namespace {

constexpr int k_attempts = 3;

store::Stack opened(const Context& context, const store::LayerStack& stack) {
  return store::Stack::of(context.layers.trees(stack.layers), stack.host_directories);
}

Json shown(const std::string& root, const std::set<std::string>& paths) {
  Json list = Json::array();
  for (const auto& path : paths) {
    const auto whole = "/" + (root.empty() ? path : root + "/" + path);
    list.push_back(is_utf8(whole) ? whole : store::git_quoted(whole));
  }
  return list;
}

/// One attempt, in the ids of the inside.
Json synced(
    Context& context, const LockedWorkspace& workspace, const store::Stack& current,
    const SeedChange& change) {
  const SeedDecisions decisions(
      {opened(context, change.before), opened(context, change.after), current, change.root});
  protocol::FileChangeResult counts;
  os::crash_point("sync.decided");
  if (!decisions.empty()) {
    auto client = connect_sandbox(workspace.paths.runtime(), "seed.on_change: sync");
    GuestChange files(*client, workspace.record.user, workspace.record.mounts, "/" + change.root);
    decisions.send(files);
    counts = files.commit();
  }
  auto conflicts = shown(change.root, decisions.conflicts());
  for (const auto& mode : shown(change.root, decisions.kept_modes())) {
    conflicts.push_back(mode.get<std::string>() + " (mode)");
  }
  return {{"counts", protocol::to_json(counts)}, {"conflicts", conflicts}};
}

/// Builds the tree of a layer that makes a base, which holds what `before` does, hold what `after` does.
class ChangeTree {
public:
  ChangeTree(store::Stack base, store::Stack before, store::Stack after, std::string root, int target)
      : m_base(std::move(base)), m_before(std::move(before)), m_after(std::move(after)),
        m_root(std::move(root)), m_writer(target, policy()) {}

  /// False where there is nothing to change.
  bool write() {
    store::DiffOptions options;
    options.root = m_root;
    const auto entries = store::compute_diff(m_before.stack(), m_after.stack(), options);
    std::set<std::string> removed;
    for (const auto& entry : entries) {
      if (!entry.after && m_base.lookup(whole(entry.path))) {
        removed.insert(whole(entry.path));
      }
    }
    const auto doomed = with_emptied(removed);
    for (const auto& entry : entries) {
      if (entry.after) {
        parents(whole(entry.path));
        put(whole(entry.path), *entry.after);
      }
    }
    for (const auto& path : doomed) {
      // Where a directory gives way to a file, the file hides what was below it.
      if (!is_below_any(doomed, path) && !m_files.contains(path) && !is_below_any(m_files, path)) {
        parents(path);
        m_writer.add_whiteout(path);
      }
    }
    m_writer.finish();
    return !entries.empty();
  }

private:
  static os::TreePolicy policy() {
    os::TreePolicy policy;
    policy.mode_mask = 01777;
    policy.owners = os::Owners::from_entry;
    return policy;
  }

  static os::EntryMeta meta_of(const store::Found& found) {
    os::EntryMeta meta;
    meta.mode = found.status.st_mode & 07777;
    meta.uid = found.status.st_uid;
    meta.gid = found.status.st_gid;
    meta.mtime = found.status.st_mtim;
    return meta;
  }

  std::string whole(const std::string& path) const { return m_root.empty() ? path : m_root + "/" + path; }

  std::set<std::string> with_emptied(std::set<std::string> removed) const {
    const auto emptied = emptied_directories(
        removed, [&](const std::string& directory) { return m_base.list(directory); },
        [&](const std::string& directory) { return m_after.lookup(directory).has_value(); });
    removed.insert(emptied.begin(), emptied.end());
    return removed;
  }

  /// The directories above a path look as they do without this layer.
  void parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto parent = path.substr(0, slash);
      if (!m_directories.insert(parent).second) {
        continue;
      }
      auto found = m_base.lookup(parent);
      if (!found || !found->is_directory()) {
        found = m_after.lookup(parent);
      }
      if (found && found->is_directory()) {
        m_writer.add_directory(parent, meta_of(*found));
      }
    }
  }

  void put(const std::string& path, const store::Found& found) {
    if (found.is_directory()) {
      m_directories.insert(path);
      m_writer.add_directory(path, meta_of(found));
      return;
    }
    m_files.insert(path);
    if (found.is_symlink()) {
      m_writer.add_symlink(path, found.link_target(), meta_of(found));
      return;
    }
    const auto source = found.open();
    auto meta = meta_of(found);
    for (const auto& [name, value] : os::extended_attributes_of(source.get())) {
      if (os::may_keep_xattr(name, {})) {
        meta.xattrs.emplace_back(name, value);
      }
    }
    m_writer.add_file(path, meta, [&](int target) { os::copy_content(source.get(), target); });
  }

  store::LayeredView m_base;
  store::LayeredView m_before;
  store::LayeredView m_after;
  std::string m_root;
  os::TreeWriter m_writer;
  std::set<std::string> m_directories; // written
  std::set<std::string> m_files;       // written
};

} // namespace

SeedSynced sync_seed(Context& context, const LockedWorkspace& workspace, const SeedChange& change) {
  for (int attempt = 1;; ++attempt) {
    try {
      const auto current = current_stack(context, workspace.paths, workspace.record);
      const auto document =
          os::IdSpace::current().run([&]() -> Json { return synced(context, workspace, current, change); });
      SeedSynced result;
      result.counts = protocol::file_change_result_from_json(value_at(document, "counts"));
      result.conflicts = value_at(document, "conflicts").get<std::vector<std::string>>();
      return result;
    } catch (const Error& error) {
      // Somebody inside wrote to one of the files after we had looked at it: look again.
      if (error.code() != ErrorCode::stale || attempt == k_attempts) {
        throw;
      }
    }
  }
}

std::optional<HexDigest>
seed_change_layer(const Context& context, const store::LayerStack& base, const SeedChange& change) {
  const auto published = os::IdSpace::current().run([&]() -> Json {
    auto staging = context.layers.stage();
    os::make_directories(staging.tree(), 0755);
    const auto target = os::open_directory(staging.tree());
    ChangeTree tree(
        opened(context, base), opened(context, change.before), opened(context, change.after), change.root,
        target.get());
    if (!tree.write()) {
      return nullptr;
    }
    return context.layers.publish(std::move(staging), {"seed", "workspace.seed"}).digest;
  });
  return published.is_null() ? std::nullopt : std::optional(published.get<std::string>());
}

} // namespace pyro::workspace
