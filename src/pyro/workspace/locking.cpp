#include "locking.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/lock_file.hpp>
#include <pyro/workspace/context/own_files.hpp>
#include <pyro/workspace/context/project.hpp>

namespace pyro::workspace {

namespace {

/// The lock as it is; with LockWhat::all one that cannot be read is as if it were not there.
LockFile lock_before(const std::string& directory, LockWhat what) {
  try {
    return read_lock(directory).value_or(LockFile{});
  } catch (const Error&) {
    if (what == LockWhat::missing) {
      throw;
    }
    return {};
  }
}

} // namespace

Json lock_project(Context& context, const Project& project, LockWhat what) {
  const auto loaded = load_project(context, project);
  const auto& name = loaded.image.name;
  auto lock = lock_before(loaded.directory, what);
  const auto before = lock.images;
  Json images = Json::array();
  if (loaded.spec.profile_names.empty()) {
    std::erase_if(lock.images, [&](const auto& entry) { return entry.first != name; });
  }
  if (!name.empty()) {
    const auto known = before.find(name);
    const auto old = known == before.end() ? std::string() : known->second;
    if (old.empty() || what == LockWhat::all) {
      const auto exact =
          context.environments.pinned(loaded.spec.environment.image, loaded.directory, loaded.registries);
      lock.images[name] = exact.value().substr(exact->find('@') + 1);
    }
    images.push_back({{"image", name}, {"digest", lock.images.at(name)}, {"before", old}});
  }
  const bool is_wanted = !lock.images.empty() || loaded.image.has_lock;
  const bool changed = is_wanted && (lock.images != before || loaded.image.problem.has_value());
  if (changed) {
    write_lock(loaded.directory, lock);
  }
  return {
      {"file", loaded.directory + "/" + std::string(k_lock_name)}, {"changed", changed}, {"images", images}};
}

} // namespace pyro::workspace
