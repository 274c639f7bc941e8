#include "live_mounts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/os/mount.hpp>

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>

namespace pyro::backend::namespaces {

namespace {

os::Fd open_live_mount(const LiveMount& mount) {
  try {
    const auto directory = os::open_found(mount.path, O_PATH | O_DIRECTORY);
    auto own = os::clone_mount(directory.get(), "");
    os::set_mount_attributes(
        own.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                       | (mount.writable ? 0 : static_cast<unsigned>(MOUNT_ATTR_RDONLY)));
    return own;
  } catch (Error& error) {
    throw error.add_context(fmt::format("mounting {} at {}", mount.path, mount.target));
  }
}

/// One id of the machine and the one that it is in the sandbox, which has a range of its own.
os::IdRange one_id(std::uint32_t owner, std::uint32_t user, const std::vector<os::IdRange>& sandbox) {
  const auto& range = sandbox.front();
  if (user >= range.count) {
    throw Error(ErrorCode::invalid_argument, "the id {} does not exist in a sandbox", user);
  }
  return {owner, range.outside + user, 1};
}

} // namespace

os::Fd map_live_mount(const LiveMount& mount, const os::IdSpace& sandbox) {
  auto own = open_live_mount(mount);
  const auto user_namespace = os::namespace_with_maps(
      {one_id(mount.owner.uid, mount.user.uid, sandbox.uids())},
      {one_id(mount.owner.gid, mount.user.gid, sandbox.gids())});
  if (!os::map_ids(own.get(), user_namespace.get())) {
    throw Error(
        ErrorCode::unavailable, "the file system of {} cannot be mounted with other owners", mount.path);
  }
  return own;
}

std::vector<os::Fd> open_live_mounts(const LaunchSpec& spec) {
  std::vector<os::Fd> mounts;
  for (const auto& mount : spec.live_mounts) {
    mounts.push_back(open_live_mount(mount));
  }
  return mounts;
}

std::optional<std::string> make_mount_points(const LaunchSpec& spec, const std::string& part) {
  std::optional<std::string> points;
  const auto& parts = spec.root.host_dirs;
  for (const auto& mount : spec.live_mounts) {
    auto path = std::filesystem::path(mount.target).relative_path();
    const auto top = path.begin()->string();
    const bool is_of_root = std::find(parts.begin(), parts.end(), top) == parts.end();
    if (part == "root" ? !is_of_root : top != part) {
      continue;
    }
    const auto make = [](const std::string& directory) {
      if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
        throw Error::from_errno(errno, "mkdir " + directory);
      }
    };
    if (!points) {
      points = fmt::format("gen/{}/points", part);
      make(*points);
      os::remove_content(os::open_file(*points, O_RDONLY | O_DIRECTORY).get()); // of another list of mounts
    }
    auto directory = *points;
    for (auto name = is_of_root ? path.begin() : std::next(path.begin()); name != path.end(); ++name) {
      directory += "/" + name->string();
      make(directory);
    }
  }
  return points;
}

} // namespace pyro::backend::namespaces
