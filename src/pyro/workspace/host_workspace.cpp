#include "host_workspace.hpp"

#include "export_tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>

#include <sys/xattr.h>

#include <cerrno>
#include <cstdio>

namespace pyro::workspace {

namespace {

constexpr const char* k_name = "workspace";
constexpr const char* k_opaque = "user.overlay.opaque";

void copy_workspace(const store::LayeredView& view, const std::string& target) {
  const auto found = view.lookup(k_name);
  if (found && found->is_directory()) {
    export_tree(view, k_name, target);
  } else {
    os::make_directories(target, 0755);
  }
  if (::setxattr(target.c_str(), k_opaque, "y", 1, 0) != 0) {
    throw Error::from_errno(errno, "mark " + target);
  }
}

} // namespace

void place_workspace(const store::Stack& stack, const std::string& generation_dir) {
  const auto upper = generation_dir + "/root/upper";
  const auto target = upper + "/" + k_name;
  if (os::is_directory(target)) {
    return;
  }
  os::make_directories(generation_dir);
  os::IdSpace::current().run([&]() -> Json {
    os::make_directories(upper, 0755);
    os::make_directories(generation_dir + "/root/work", 0700);
    // Under another name until it is whole: a killed start must not leave half of it for the next.
    const auto unfinished = upper + "/.pyro-workspace";
    os::remove_tree(unfinished);
    copy_workspace(store::LayeredView(stack), unfinished);
    if (::rename(unfinished.c_str(), target.c_str()) != 0) {
      throw Error::from_errno(errno, "create " + target);
    }
    return nullptr;
  });
}

} // namespace pyro::workspace
