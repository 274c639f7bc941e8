#include "sandbox_root.hpp"

#include "kernel_mounts.hpp"
#include "live_mounts.hpp"
#include "public_view.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/mount.hpp>

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

constexpr const char* k_private_host_files = "with image: host, files below this machine's /usr and /opt "
                                             "that belong to you or your groups can be read "
                                             "inside, private ones too (docs/security.md)";

void make_directory(const char* path, mode_t mode = 0755) {
  if (::mkdir(path, mode) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, fmt::format("mkdir {}", path));
  }
}

void make_symlink(const std::string& target, const std::string& path) {
  if (::symlink(target.c_str(), path.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("symlink {}", path));
  }
}

/// Gives a directory of the outside a short name in the staging area: its mapped mount, or a symlink to its
/// path.
void stage(const os::Fd& mapped, const std::string& path, const std::string& name) {
  if (mapped) {
    make_directory(name.c_str());
    os::attach_mount(mapped.get(), name);
  } else {
    make_symlink(path, name);
  }
}

/// Short names keep the options of a mount with many layers within the one page that mount(2) takes.
void stage_layers(const LaunchSpec& spec, const MappedMounts& mapped) {
  stage(mapped.layers, spec.layers_dir, "layers");
  make_directory("l");
  for (std::size_t index = 0; index < spec.root.layers.size(); ++index) {
    const auto relative = spec.root.layers[index].substr(spec.layers_dir.size() + 1);
    make_symlink("../layers/" + relative, fmt::format("l/{}", index));
  }
}

bool is_real_directory(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// lowerdir= of one part, topmost first: the layers (or their subtree of that name), then the host's
/// directory (`below`).
std::string lower_directories(const LaunchSpec& spec, const std::string& part, const std::string& below) {
  std::string lower;
  for (std::size_t index = spec.root.layers.size(); index-- > 0;) {
    const auto& layers = spec.root.layers;
    const auto above = layers.begin() + static_cast<std::ptrdiff_t>(index) + 1;
    if (std::find(above, layers.end(), layers[index]) != layers.end()) {
      continue; // overlayfs takes no directory twice, and what is the same above hides it
    }
    auto name = fmt::format("l/{}", index);
    if (part != "root") {
      name += "/" + part;
      if (!is_real_directory(name)) {
        continue;
      }
    } else {
      name += "/."; // a symlink itself would be no directory
    }
    lower += (lower.empty() ? "" : ":") + name;
  }
  if (!below.empty()) {
    lower += (lower.empty() ? "" : ":") + below;
  }
  return lower;
}

/// A new upper directory shows as the root of its part, so it takes the look of the directory it covers.
void prepare_upper(const std::string& part, const std::string& lowest) {
  const auto base = "gen/" + part;
  const bool is_new = !is_real_directory(base + "/upper");
  make_directory(base.c_str(), 0700);
  make_directory((base + "/upper").c_str());
  make_directory((base + "/work").c_str(), 0700);

  struct stat status {};

  if (is_new && ::stat(lowest.c_str(), &status) == 0
      && ::chmod((base + "/upper").c_str(), status.st_mode & 07777) < 0) {
    throw Error::from_errno(errno, fmt::format("chmod the upper of {}", part));
  }
}

void mount_part(const LaunchSpec& spec, const std::string& part, const std::string& below = "") {
  auto lower = lower_directories(spec, part, below);
  const auto topmost = lower.substr(0, lower.find(':'));
  prepare_upper(part, topmost);
  if (const auto points = make_mount_points(spec, part)) {
    lower += ":" + *points;
  }
  const auto data = fmt::format(
      "lowerdir={},upperdir=gen/{}/upper,workdir=gen/{}/work,userxattr,index=off,metacopy=off", lower, part,
      part);
  try {
    if (part == "root") {
      make_directory("root");
      os::mount_at("pyro", "root", "overlay", MS_NOSUID | MS_NODEV, data);
      return;
    }
    // The mount point comes from a layer, which may be hostile: it must be a directory of the root, not a
    // symlink.
    const auto root = os::open_file("root", O_PATH | O_DIRECTORY);
    const auto target = os::maybe_open_beneath(root.get(), part, O_PATH | O_DIRECTORY);
    if (!target) {
      throw Error(ErrorCode::invalid_argument, "the environment has no directory /{} to mount on", part);
    }
    os::mount_at(
        "pyro", fmt::format("/proc/self/fd/{}", target->get()), "overlay", MS_NOSUID | MS_NODEV, data);
  } catch (Error& error) {
    throw error.add_context(fmt::format("mounting the layers at /{}", part == "root" ? "" : part));
  }
}

/// The directories of this machine, each an overlay of its own. False: see k_private_host_files.
bool mount_host_parts(const LaunchSpec& spec, const MappedMounts& mapped) {
  bool all_public = true;
  make_directory("h");
  for (std::size_t index = 0; index < spec.root.host_dirs.size(); ++index) {
    const auto& name = spec.root.host_dirs[index];
    static const os::Fd s_none;
    stage(index < mapped.host_dirs.size() ? mapped.host_dirs[index] : s_none, "/" + name, "h/" + name);
    const auto view = mount_public_view(name);
    all_public = all_public && view;
    mount_part(spec, name, view.value_or("h/" + name));
  }
  return all_public;
}

/// Makes the directory inside the new root, component by component, following no symlink of the environment.
os::Fd make_inside(const std::string& target) {
  auto directory = os::open_file("root", O_PATH | O_DIRECTORY);
  for (const auto& part : std::filesystem::path(target).relative_path()) {
    if (::mkdirat(directory.get(), part.c_str(), 0755) < 0 && errno != EEXIST) {
      throw Error::from_errno(errno, fmt::format("create {}", target));
    }
    auto next = os::maybe_open_beneath(directory.get(), part.string(), O_PATH | O_DIRECTORY);
    if (!next) {
      throw Error(
          ErrorCode::invalid_argument, "{} cannot be mounted on: '{}' is no directory", target,
          part.string());
    }
    directory = std::move(*next);
  }
  return directory;
}

void attach_binds(const LaunchSpec& spec, const MappedMounts& mapped) {
  for (std::size_t index = 0; index < spec.binds.size(); ++index) {
    const auto target = make_inside(spec.binds[index].target);
    os::Fd own;
    if (index >= mapped.binds.size()) {
      own = os::clone_mount(AT_FDCWD, spec.binds[index].path);
    }
    const auto& mount = own ? own : mapped.binds[index];
    os::set_mount_attributes(mount.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    os::attach_mount(mount.get(), target.get());
  }
}

void attach_live_mounts(const LaunchSpec& spec, const MappedMounts& mapped) {
  for (std::size_t index = 0; index < spec.live_mounts.size(); ++index) {
    const auto target = make_inside(spec.live_mounts[index].target);
    os::attach_mount(mapped.live.at(index).get(), target.get());
  }
}

} // namespace

void enter_staging(const LaunchSpec& spec) {
  os::make_all_mounts_private();
  const auto staging = os::make_mount(
      "tmpfs", {{"mode", "0755"}, {"uid", "0"}, {"gid", "0"}, {"size", "1m"}},
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  os::attach_mount(staging.get(), spec.runtime_dir + "/root");
  if (::fchdir(staging.get()) < 0) {
    throw Error::from_errno(errno, "enter the staging area");
  }
}

std::vector<std::string> enter_sandbox_root(
    const LaunchSpec& spec, const MappedMounts& mapped, const std::string& resolv_conf,
    const std::string& hostname) {
  ::umask(0);
  stage_layers(spec, mapped);
  stage(mapped.generation, spec.generation_dir, "gen");
  mount_part(spec, "root");
  const bool all_public = mount_host_parts(spec, mapped);
  attach_binds(spec, mapped);
  attach_live_mounts(spec, mapped);
  const KernelSources sources; // device nodes of the machine, taken while they can still be reached
  if (::chdir("root") < 0) {
    throw Error::from_errno(errno, "enter the new root");
  }
  os::pivot_root_here();
  auto notes = mount_kernel_files(
      sources, spec.egress ? std::optional(resolv_conf) : std::nullopt, machine_id_of(spec), hostname);
  os::detach_old_root();
  if (!all_public) {
    notes.emplace_back(k_private_host_files);
  }
  return notes;
}

} // namespace pyro::backend::namespaces
