#include "live_mounts.hpp"

#include "named_path.hpp"
#include "owner_ids.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/mount_table.hpp>
#include <pyro/store/layered_view.hpp>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

/// What is mounted below a directory would not be shown, and the kernel refuses ordinary users what it
/// covers.
void refuse_mounts_below(const std::string& path) {
  for (const auto& mount : os::mount_entries()) {
    if (mount.point != path && is_at_or_below(mount.point, path)) {
      throw Error(ErrorCode::unavailable, "{} is a mount of its own below {}", mount.point, path)
          .with_hint("a live mount shows one file system: name the directory that is needed");
    }
  }
}

/// Behind those are pyro's own state, with the sockets that rule sandboxes, or the kernel.
void refuse_private(const Context& context, const std::string& path) {
  std::error_code none;
  const auto base = fs::weakly_canonical(context.base.root(), none).string();
  const bool is_of_state = is_at_or_below(path, base) || is_at_or_below(base, path);
  const bool is_of_kernel = is_at_or_below(path, "/proc") || is_at_or_below(path, "/sys");
  if (is_of_state || is_of_kernel) {
    throw Error(
        ErrorCode::permission, "{} cannot be shown inside: {}", path,
        is_of_kernel ? "it is the kernel's"
                     : fmt::format("the state directory {} lies in it or around it", base))
        .with_hint("name the directory that is needed");
  }
}

/// That it may be shown as things are now.
void check_directory(const Context& context, const store::LiveMount& mount) {
  std::error_code none;
  const auto type = fs::symlink_status(mount.path, none).type();
  if (type == fs::file_type::not_found) {
    throw Error(ErrorCode::input_missing, "the directory {} does not exist (mounts)", mount.path)
        .with_hint("make it, or take it out of `mounts`");
  }
  if (type != fs::file_type::directory && type != fs::file_type::none) { // that one may not even be looked at
    throw Error(ErrorCode::input_missing, "{} is no directory (mounts)", mount.path)
        .with_hint(
            "a live mount shows a directory: editors replace files, and a mount would stay with the old one");
  }
  refuse_private(context, mount.path);
  refuse_mounts_below(mount.path);

  struct statvfs status {};

  const auto directory = os::open_found(mount.path, O_PATH | O_DIRECTORY);
  if (mount.writable && ::fstatvfs(directory.get(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0) {
    throw Error(ErrorCode::unavailable, "{} lies on a file system that is mounted read-only", mount.path)
        .with_hint("write `mode: ro`");
  }
}

bool maps_ids() {
  return os::IdSpace::current().kind() == os::IdSpace::Kind::shifted;
}

/// An ordinary user's own id is root's inside, and the kernel lets nobody but root map it otherwise.
void require_writer(const store::LiveMount& mount, const std::string& user) {
  const auto name = user.substr(0, user.find(':'));
  const bool is_root = name.empty() || name == "root" || name == "0";
  if (mount.writable && !is_root && !maps_ids()) {
    throw Error(
        ErrorCode::unavailable,
        "what '{}' writes into {} would not be yours: an ordinary user's files belong to root inside", user,
        mount.target)
        .with_hint("write `environment.user: root` (which is you there), or `mode: ro`, or run pyro as root");
  }
}

/// Tried, since no list of file systems knows: with a map of nobody in particular.
void require_id_map(const store::LiveMount& mount) {
  const auto directory = os::open_found(mount.path, O_PATH | O_DIRECTORY);
  const auto copy = os::clone_mount(directory.get(), "");
  const auto& ids = os::IdSpace::current();
  if (!os::map_ids(copy.get(), os::namespace_with_maps(ids.uids(), ids.gids()).get())) {
    throw Error(
        ErrorCode::unavailable, "the file system of {} cannot be mounted with other owners", mount.path)
        .with_hint("as root a live mount needs ext4, xfs, btrfs or tmpfs, not overlay; an ordinary user's "
                   "does not, and `seed` copies from anywhere");
  }
}

backend::LiveMount::Ids owner_of(const std::string& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0) {
    throw Error::from_errno(errno, "look at " + path);
  }
  return {status.st_uid, status.st_gid};
}

/// The first thing on the way to `target` that nothing can be mounted on; empty: none.
std::string obstacle_to(const store::LayeredView& view, const std::string& target) {
  std::string at;
  for (const auto& name : fs::path(target).relative_path()) {
    at += (at.empty() ? "" : "/") + name.string();
    const auto found = view.lookup(at);
    if (!found) {
      return "";
    }
    if (!found->is_directory()) {
      return "/" + at;
    }
  }
  return "";
}

void refuse_obstacles(
    const Context& context, const std::vector<store::LiveMount>& mounts, const store::LayerStack& content) {
  const auto stack = store::Stack::of(context.layers.trees(content.layers), content.host_directories);
  const auto found = os::IdSpace::current().run([&]() -> Json {
    const store::LayeredView view(stack);
    Json list = Json::array();
    for (const auto& mount : mounts) {
      list.push_back(obstacle_to(view, mount.target));
    }
    return list;
  });
  for (std::size_t index = 0; index < mounts.size(); ++index) {
    if (const auto obstacle = found.at(index).get<std::string>(); !obstacle.empty()) {
      throw Error(
          ErrorCode::invalid_argument, "nothing can be mounted at {}: {} is no directory inside",
          mounts[index].target, obstacle)
          .with_hint("a live mount follows no symlink: name the place itself");
    }
  }
}

} // namespace

std::vector<store::LiveMount> resolve_mounts(const Context& context, const LoadedProject& project) {
  const auto& spec = project.spec;
  std::vector<store::LiveMount> mounts;
  for (std::size_t index = 0; index < spec.mounts.size(); ++index) {
    const auto& wanted = spec.mounts[index];
    try {
      const bool is_of_checkout = relative_inside(project.directory, wanted.from).has_value();
      store::LiveMount mount;
      mount.path = resolved_path(project.directory, wanted.from);
      mount.target = wanted.to;
      mount.writable = wanted.mode == spec::MountMode::read_write;
      mount.owner = is_of_checkout ? project.directory : mount.path;
      check_directory(context, mount);
      require_writer(mount, spec.environment.user);
      if (maps_ids()) {
        require_id_map(mount);
      }
      mounts.push_back(std::move(mount));
    } catch (Error& error) {
      throw error.at(spec.place(fmt::format("mounts[{}].from", index)));
    }
  }
  return mounts;
}

std::vector<backend::LiveMount> live_mounts_of(
    const Context& context, const store::WorkspaceRecord& record, const store::LayerStack& content) {
  std::vector<backend::LiveMount> mounts;
  if (record.mounts.empty()) {
    return mounts;
  }
  const auto user = maps_ids() ? owner_ids(context.layers, content, record.user) : OwnerIds{};
  for (const auto& mount : record.mounts) {
    check_directory(context, mount);
    require_writer(mount, record.user);
    mounts.push_back({mount.path, mount.target, mount.writable, owner_of(mount.owner), {user.uid, user.gid}});
  }
  refuse_obstacles(context, record.mounts, content);
  return mounts;
}

std::string live_mounts_kept(const std::vector<store::LiveMount>& mounts) {
  std::string targets;
  for (const auto& mount : mounts) {
    targets += (targets.empty() ? "" : ", ") + mount.target;
  }
  return targets.empty() ? ""
                         : "live directories are no part of the content and stay as they are: " + targets;
}

} // namespace pyro::workspace
