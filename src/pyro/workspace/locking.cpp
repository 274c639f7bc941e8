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

/// As the lock is to have it: looked up, and built where that is how it comes about.
std::string look_up(Context& context, const LoadedProject& project, LockWhat what) {
  const auto& written = project.spec.environment.image;
  auto& environments = context.environments;
  if (const auto exact = environments.pinned(written, project.directory, project.registries)) {
    return exact->substr(exact->find('@') + 1);
  }
  if (environment::parse_image(written, project.directory).kind == environment::ImageKind::debian) {
    const auto refresh = what == LockWhat::all ? environment::Refresh::yes : environment::Refresh::no;
    environments.pull(written, project.directory, refresh);
  }
  return environments.digest_for_lock(written, project.directory, project.registries).value();
}

/// Other names are of no use where no profile may have them; other machines' architectures are.
void forget_others(LockFile& lock, const LoadedProject& project) {
  if (!project.spec.profile_names.empty()) {
    return;
  }
  const auto& name = project.image.name;
  const auto image = name.substr(0, name.find(' ') + 1);
  std::erase_if(lock.images, [&](const auto& entry) {
    return entry.first != name && (image.empty() || !entry.first.starts_with(image));
  });
}

/// What applying the file brings that no digest in a lock stands for: [{address, why}].
Json unlocked(const LoadedProject& project) {
  Json list = Json::array();
  const auto image = environment::lock_name(project.spec.environment.image, project.directory);
  if (!image.why_not.empty()) {
    list.push_back({{"address", "environment.image"}, {"why", image.why_not}});
  }
  const auto add_steps = [&](const std::vector<spec::Step>& steps, const std::string& prefix) {
    for (const auto& step : steps) {
      if (step.egress.kind != spec::EgressKind::none) {
        list.push_back({{"address", prefix + step.id}, {"why", "it may fetch what there is on the day"}});
      }
    }
  };
  add_steps(project.spec.environment.setup, "environment.setup.");
  add_steps(project.spec.prepare, "prepare.");
  return list;
}

} // namespace

Json lock_project(Context& context, const Project& project, LockWhat what) {
  const auto loaded = load_project(context, project);
  const auto& name = loaded.image.name;
  auto lock = lock_before(loaded.directory, what);
  const auto before = lock.images;
  Json images = Json::array();
  forget_others(lock, loaded);
  if (!name.empty()) {
    const auto known = before.find(name);
    const auto old = known == before.end() ? std::string() : known->second;
    if (old.empty() || what == LockWhat::all) {
      lock.images[name] = look_up(context, loaded, what);
    }
    images.push_back({{"image", name}, {"digest", lock.images.at(name)}, {"before", old}});
  }
  const bool is_wanted = !lock.images.empty() || loaded.image.has_lock;
  const bool changed = is_wanted && (lock.images != before || loaded.image.problem.has_value());
  if (changed) {
    write_lock(loaded.directory, lock);
  }
  return {
      {"file", loaded.directory + "/" + std::string(k_lock_name)},
      {"changed", changed},
      {"images", images},
      {"unlocked", unlocked(loaded)}};
}

} // namespace pyro::workspace
