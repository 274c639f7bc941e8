#include "public_view.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>

#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

namespace pyro::backend::namespaces {

namespace {

/// Touches files as an id that owns nothing and is in no group. The kernel takes CAP_DAC_OVERRIDE and its
/// like away with it, and gives them back at the end.
class AsStranger {
public:
  AsStranger(uid_t uid, gid_t gid) {
    ::setfsgid(gid);
    ::setfsuid(uid);
    // These report no failure: they return what was in force before.
    if (static_cast<uid_t>(::setfsuid(uid)) != uid || static_cast<gid_t>(::setfsgid(gid)) != gid) {
      throw Error(ErrorCode::internal, "cannot touch files as id {} of the sandbox", uid);
    }
  }

  ~AsStranger() {
    ::setfsuid(0);
    ::setfsgid(0);
  }

  AsStranger(const AsStranger&) = delete;
  AsStranger& operator=(const AsStranger&) = delete;
};

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, fmt::format("mkdir {}", path));
  }
}

} // namespace

std::optional<std::string> mount_public_view(const std::string& name) {
  const auto source = "h/" + name;
  const auto& space = os::IdSpace::current();
  if (space.kind() == os::IdSpace::Kind::single || os::lies_on_overlay(source)) {
    return std::nullopt;
  }
  make_directory("empty"); // an overlay that is never written to must have two directories
  make_directory("public");
  auto view = "public/" + name;
  make_directory(view);
  // An overlay asks twice, also when what is asked for is known already: with the ids of whoever wants in,
  // and with those of whoever mounted it. The latter has no more than the bits for others.
  const AsStranger stranger(os::last_id(space.uids()), os::last_id(space.gids()));
  try {
    os::mount_at(
        "pyro", view, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV,
        fmt::format("lowerdir={}:empty,userxattr", source));
  } catch (Error& error) {
    throw error.add_context(fmt::format("mounting the public part of /{}", name));
  }
  return view;
}

} // namespace pyro::backend::namespaces
