#include "host_workspace.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/store/export_tree.hpp>

#include <sys/xattr.h>

#include <cerrno>
#include <cstdio>

namespace pyro::workspace {

namespace {

constexpr const char* k_name = "workspace";
constexpr const char* k_unfinished = ".pyro-workspace";
constexpr const char* k_opaque = "user.overlay.opaque";

/// Copied by reflinks alone?
bool copy_workspace(const store::LayeredView& view, const std::string& upper, const std::string& name) {
  const auto target = upper + "/" + name;
  const auto found = view.lookup(k_name);
  bool reflinked = true;
  if (found && found->is_directory()) {
    reflinked = store::copy_out(view, k_name, os::open_directory(upper).get(), name).copied == 0;
  } else {
    os::make_directories(target, 0755);
  }
  if (::setxattr(target.c_str(), k_opaque, "y", 1, 0) != 0) {
    throw Error::from_errno(errno, "mark " + target);
  }
  return reflinked;
}

/// As the generations of sandboxes have them; commands write to none but the root's.
void make_parts(const store::Stack& stack, const std::string& generation_dir) {
  for (const auto& part : store::parts_of_generation(generation_dir, stack.host_directories)) {
    os::make_directories(part.upper, 0755);
  }
}

} // namespace

std::string place_workspace(const store::Stack& stack, const std::string& generation_dir) {
  const auto upper = generation_dir + "/root/upper";
  const auto target = upper + "/" + k_name;
  const auto note = generation_dir + "/clone_mode";
  if (os::is_directory(target)) {
    return os::maybe_read_file(note, 64).value_or("sparse_copy");
  }
  os::make_directories(generation_dir);
  const auto mode = os::IdSpace::current().run([&]() -> Json {
    make_parts(stack, generation_dir);
    os::make_directories(generation_dir + "/root/work", 0700);
    // Under another name until it is whole: a killed start must not leave half of it for the next.
    const auto unfinished = upper + "/" + k_unfinished;
    os::remove_tree(unfinished);
    const bool reflinked = copy_workspace(store::LayeredView(stack), upper, k_unfinished);
    const auto mode = os::name_of(reflinked ? os::CopyMethod::reflinked : os::CopyMethod::copied);
    os::write_file_atomically(note, mode, 0600, os::Durable::no);
    if (::rename(unfinished.c_str(), target.c_str()) != 0) {
      throw Error::from_errno(errno, "create " + target);
    }
    return mode;
  });
  return mode.get<std::string>();
}

} // namespace pyro::workspace
