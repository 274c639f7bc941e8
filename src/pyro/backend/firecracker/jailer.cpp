#include "jailer.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

#include <algorithm>
#include <filesystem>

namespace pyro::backend::firecracker {

namespace {

constexpr std::size_t k_max_id = 64;

void require_absolute(const std::string& path, const char* what) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "{} must be an absolute path, found '{}'", what, path);
  }
}

std::string exec_name(const JailerOptions& options) {
  return std::filesystem::path(options.exec_file).filename().string();
}

void require_id(const std::string& id) {
  const bool plain = !id.empty() && id.size() <= k_max_id && id.front() != '-'
                     && std::all_of(id.begin(), id.end(), [](unsigned char letter) {
                          return std::isalnum(letter) || letter == '-';
                        });
  if (!plain) {
    throw Error(
        ErrorCode::invalid_argument, "a jail's id has letters, digits and -, at most {}, found '{}'",
        k_max_id, id);
  }
}

void validate(const JailerOptions& options) {
  require_absolute(options.jailer, "the jailer");
  require_absolute(options.exec_file, "Firecracker");
  require_absolute(options.chroot_base_dir, "the directory of the jails");
  require_id(options.id);
  if (exec_name(options).find("firecracker") == std::string::npos) {
    throw Error(
        ErrorCode::invalid_argument, "the jailer runs programs named like firecracker only, not {}",
        options.exec_file);
  }
  if (options.uid == 0 || options.gid == 0) {
    throw Error(ErrorCode::invalid_argument, "Firecracker is not to run as root");
  }
  if (options.cgroup_version != 1 && options.cgroup_version != 2) {
    throw Error(ErrorCode::invalid_argument, "there is no cgroup version {}", options.cgroup_version);
  }
  if (options.netns) {
    require_absolute(*options.netns, "the network namespace");
  }
  const auto& parent = options.parent_cgroup;
  if (!parent.empty() && (parent.front() == '/' || parent.find("..") != std::string::npos)) {
    throw Error(ErrorCode::invalid_argument, "the parent cgroup must be a relative path, found '{}'", parent);
  }
  for (const auto& [file, value] : options.cgroup) {
    if (file.empty() || file.find_first_of("/=") != std::string::npos || value.empty()) {
      throw Error(ErrorCode::invalid_argument, "'{}={}' is no setting of a cgroup", file, value);
    }
  }
}

} // namespace

std::vector<std::string> jailer_arguments(const JailerOptions& options) {
  validate(options);
  std::vector<std::string> arguments{
      options.jailer,
      "--id",
      options.id,
      "--exec-file",
      options.exec_file,
      "--uid",
      std::to_string(options.uid),
      "--gid",
      std::to_string(options.gid),
      "--chroot-base-dir",
      options.chroot_base_dir};
  const auto add = [&](const char* name, const std::string& value) {
    arguments.insert(arguments.end(), {name, value});
  };
  if (options.netns) {
    add("--netns", *options.netns);
  }
  if (!options.cgroup.empty() || !options.parent_cgroup.empty()) {
    add("--cgroup-version", std::to_string(options.cgroup_version));
  }
  if (!options.parent_cgroup.empty()) {
    add("--parent-cgroup", options.parent_cgroup);
  }
  for (const auto& [file, value] : options.cgroup) {
    add("--cgroup", file + "=" + value);
  }
  if (options.max_file_size) {
    add("--resource-limit", fmt::format("fsize={}", *options.max_file_size));
  }
  if (options.max_open_files) {
    add("--resource-limit", fmt::format("no-file={}", *options.max_open_files));
  }
  add("--", "--api-sock");
  arguments.push_back(k_api_socket_in_jail);
  return arguments;
}

std::string jail_directory(const JailerOptions& options) {
  return fmt::format("{}/{}/{}", options.chroot_base_dir, exec_name(options), options.id);
}

std::string jail_root(const JailerOptions& options) {
  return jail_directory(options) + "/root";
}

std::string path_on_host(const JailerOptions& options, const std::string& path_in_jail) {
  require_absolute(path_in_jail, "a path in a jail");
  return jail_root(options) + path_in_jail;
}

std::string jail_id_of(const std::string& name) {
  std::string id;
  for (const unsigned char letter : name) {
    id += std::isalnum(letter) ? static_cast<char>(letter) : '-';
  }
  if (id != name || id.empty() || id.size() > k_max_id || id.front() == '-') {
    const auto digest = Sha256{}.field(name).finish().substr(0, 16);
    id = (id.empty() || id.front() == '-' ? "vm" + id : id).substr(0, k_max_id - 1 - digest.size()) + "-"
         + digest;
  }
  return id;
}

} // namespace pyro::backend::firecracker
