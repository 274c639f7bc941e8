// Environments: forgetting installs that nothing stands on.
#include "environment.hpp"
#include "recipe.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/import.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/records.hpp>

#include <set>

namespace pyro::environment {

namespace {

struct Standing {
  std::vector<HexDigest> layers;
  std::string who; // for people
};

std::string who_is(const store::WorkspaceRecord& record) {
  const auto& name = record.name.empty() ? record.id : record.name;
  if (!record.destroyed_at) {
    return fmt::format("the workspace {}", name);
  }
  return fmt::format(
      "the destroyed workspace {} ({}), which is kept for `pyro undo` and its snapshots", name, record.id);
}

/// Workspaces, their snapshots and what an undo would bring back.
std::vector<Standing> standing_workspaces(const store::Base& base) {
  std::vector<Standing> all;
  const store::WorkspaceRecords workspaces(base);
  for (const auto& id : workspaces.ids()) {
    try {
      const auto record = workspaces.find(id);
      if (!record) {
        continue;
      }
      all.push_back({record->layers, who_is(*record)});
      if (record->undo) {
        all.push_back({record->undo->layers, "the undo point of " + who_is(*record)});
      }
      if (workspaces.has_snapshots(id)) {
        for (const auto& snapshot : workspaces.snapshots(id)) {
          all.push_back(
              {snapshot.layers, fmt::format("the snapshot {} of {}", snapshot.name, who_is(*record))});
        }
      }
    } catch (const Error&) {
      if (os::exists(store::WorkspacePaths(base, id).record())) {
        throw;
      } // deleted while we looked
    }
  }
  return all;
}

/// Who stands on these layers; nullopt: nobody.
std::optional<std::string> who_stands_on(const store::Base& base, const std::vector<HexDigest>& layers) {
  for (const auto& standing : standing_workspaces(base)) {
    if (any_stands_on({standing.layers}, layers)) {
      return standing.who;
    }
  }
  return std::nullopt;
}

} // namespace

std::vector<std::vector<HexDigest>> Environments::stacks_in_use() const {
  std::vector<std::vector<HexDigest>> stacks;
  for (auto& standing : standing_workspaces(m_base)) {
    stacks.push_back(std::move(standing.layers));
  }
  for (auto& recipe : m_recipes.list()) {
    if (!store::is_of_image(recipe)) {
      stacks.push_back(std::move(recipe.layers));
    }
  }
  return stacks;
}

/// Whoever resolved one and has not yet recorded it holds this lock as a shared one.
os::ExclusiveLock Environments::lock_store(const char* operation, std::chrono::milliseconds patience) const {
  return {m_base.store_lock(), operation, patience, [&](const auto& holder) {
            note(fmt::format("waiting for {}", holder ? os::to_string(*holder) : "another pyro"));
          }};
}

void Environments::forget(const HexDigest& digest) {
  m_installs.remove(digest);
  m_recipes.remove(environment_recipe_key(digest));
}

/// Layers of images are remembered one by one; those of no installed image are given up.
void Environments::forget_unused_oci_layers() {
  std::set<HexDigest> used;
  for (const auto& listed : m_installs.list()) {
    if (const auto record = installed(listed.digest)) {
      used.insert(record->layers.begin(), record->layers.end());
    }
  }
  for (const auto& recipe : m_recipes.list()) {
    const bool is_used = std::any_of(
        recipe.layers.begin(), recipe.layers.end(), [&](const auto& layer) { return used.contains(layer); });
    if (store::is_of_image(recipe) && recipe.address.starts_with(oci::k_oci_layer_address) && !is_used) {
      m_recipes.remove(recipe.key);
    }
  }
}

Json Environments::prune(DryRun dry_run, std::chrono::milliseconds patience) {
  m_cache.prepare();
  m_base.prepare();
  const auto lock = lock_store("env prune", patience);
  const auto stacks = stacks_in_use();
  Json removed = Json::array();
  std::uint64_t bytes = 0;
  std::size_t kept = 0;
  const auto drop = [&](const HexDigest& digest, const std::string& image, std::uint64_t size,
                        const char* reason) {
    removed.push_back({{"image", image}, {"digest", digest}, {"size_bytes", size}, {"reason", reason}});
    bytes += size;
    if (dry_run == DryRun::no) {
      forget(digest);
    }
  };
  std::vector<HexDigest> damaged;
  for (const auto& listed : m_installs.list(&damaged)) {
    const auto record = installed(listed.digest);
    if (!record || !any_stands_on(stacks, record->layers)) {
      drop(
          listed.digest, listed.image, record ? record->size_bytes : 0,
          record ? "not in use" : "layers are gone");
    } else {
      ++kept;
    }
  }
  for (const auto& digest : damaged) {
    drop(digest, "", 0, "damaged record");
  }
  if (dry_run == DryRun::no) {
    forget_unused_oci_layers();
  }
  return {{"removed", removed}, {"kept", kept}, {"bytes", bytes}, {"dry_run", dry_run == DryRun::yes}};
}

std::vector<HexDigest> Environments::without_layers(const std::string& image) const {
  std::vector<HexDigest> gone;
  for (const auto& listed : m_installs.list()) {
    if (listed.image == image && !installed(listed.digest)) {
      gone.push_back(listed.digest);
    }
  }
  return gone;
}

Json Environments::remove(
    const std::string& image, const std::string& directory, std::chrono::milliseconds patience) {
  auto reference = parse_image(image, directory);
  reference.access = RegistryAccess::agreed;
  find_source(reference, directory, Symlinks::followed);
  m_cache.prepare();
  m_base.prepare();
  const auto lock = lock_store("env remove", patience);
  const auto gone = without_layers(image);
  for (const auto& digest : gone) {
    forget(digest);
  }
  const bool can_be_asked = gone.empty() || reference.source.empty() || os::exists(reference.source);
  const auto record = can_be_asked ? installed(reference) : std::nullopt;
  if (!record && !gone.empty()) {
    return {{"image", image}, {"digest", gone.back()}, {"size_bytes", 0}};
  }
  if (!record) {
    throw Error(ErrorCode::not_found, "the image {} is not installed", image)
        .with_hint("`pyro env list` lists those that are");
  }
  // Cached steps on it do not matter: they hold its layers themselves.
  if (const auto who = who_stands_on(m_base, record->layers)) {
    throw Error(ErrorCode::bad_state, "the image {} is in use: {} stands on it", image, *who)
        .with_hint("`pyro destroy --snapshots -w NAME|ID` removes a workspace with all that is kept of it; "
                   "`pyro df` lists "
                   "what is kept");
  }
  forget(record->digest);
  forget_unused_oci_layers();
  return {{"image", image}, {"digest", record->digest}, {"size_bytes", record->size_bytes}};
}

} // namespace pyro::environment
