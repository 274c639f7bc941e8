#include "host.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/mount_table.hpp>
#include <pyro/os/tree_walk.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace pyro::environment {

namespace {

constexpr std::string_view k_fingerprint_format = "pyro host environment 2";

/// Top-level names that hold programs. On a machine with merged /usr all but two are symlinks.
constexpr std::array<const char*, 9> k_program_places{"usr",   "opt",   "bin",    "sbin",  "lib",
                                                      "lib32", "lib64", "libo32", "libx32"};

bool holds_other_mounts(const std::string& directory) {
  const auto entries = os::mount_entries();
  return std::any_of(entries.begin(), entries.end(), [&](const os::MountEntry& entry) {
    return is_below(entry.point, "/" + directory);
  });
}

std::string_view name_of(os::IdSpace::Kind kind) {
  switch (kind) {
  case os::IdSpace::Kind::shifted:
    return "shifted";
  case os::IdSpace::Kind::subordinate:
    return "subordinate";
  case os::IdSpace::Kind::single:
    break;
  }
  return "single";
}

std::string os_release(const Host& host) {
  for (const auto* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (auto text = os::maybe_read_file(host.root + path, 1 << 16)) {
      return *text;
    }
  }
  return "";
}

/// What the package manager says is installed.
HexDigest package_database(const Host& host, const EnvironmentCache& cache) {
  constexpr std::array<const char*, 4> k_databases{
      "/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite",
      "/lib/apk/db/installed"};
  for (const auto* database : k_databases) {
    const auto path = host.root + database;
    if (::access(path.c_str(), R_OK) == 0) {
      return cache.digest_of_file(path);
    }
  }

  struct stat status {};

  if (::stat((host.root + "/usr/bin").c_str(), &status) < 0) {
    throw Error::from_errno(errno, "stat /usr/bin");
  }
  return sha256_of(stamp_of(status));
}

std::string pretty_name(const std::string& release) {
  constexpr std::string_view k_key = "PRETTY_NAME=";
  std::istringstream lines(release);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(k_key)) {
      line.erase(0, k_key.size());
      std::erase(line, '"');
      return line;
    }
  }
  return "unknown";
}

} // namespace

Host observe_host(const std::vector<std::string>& private_paths, const std::string& root) {
  Host host;
  host.root = root;
  host.id_space = os::IdSpace::current().kind();
  const auto top = os::open_directory(root.empty() ? "/" : root);
  for (const std::string name : k_program_places) {
    const auto status = os::maybe_status_at(top.get(), name);
    if (status && S_ISLNK(status->st_mode)) {
      host.symlinks[name] = os::read_link_at(top.get(), name);
    } else if (status && S_ISDIR(status->st_mode) && (status->st_mode & 0005) == 0005) {
      const bool usable =
          host.id_space == os::IdSpace::Kind::shifted || !root.empty() || !holds_other_mounts(name);
      if (usable) {
        host.directories.push_back(name);
      } else if (name == "usr") {
        throw Error(
            ErrorCode::unavailable,
            "the environment 'host' cannot be used: other file systems are mounted below /usr")
            .with_hint("an ordinary user cannot look below them: run as root, or use image: debian:12");
      }
    }
  }
  if (std::find(host.directories.begin(), host.directories.end(), "usr") == host.directories.end()) {
    throw Error(
        ErrorCode::unavailable, "the environment 'host' cannot be used: {}/usr is no directory", root);
  }
  for (const auto& path : private_paths) {
    std::error_code ignored; // a path that cannot be resolved is compared as it is
    auto real = std::filesystem::weakly_canonical(path, ignored).string();
    real = ignored ? path : real;
    for (const auto& name : host.directories) {
      if (real.starts_with(root + "/" + name + "/")) {
        host.masked.push_back(real.substr(root.size() + 1));
      }
    }
  }
  std::sort(host.masked.begin(), host.masked.end());
  return host;
}

HexDigest host_fingerprint(const Host& host, const EnvironmentCache& cache) {
  Sha256 sha;
  sha.field(k_fingerprint_format).field(name_of(host.id_space)).field(os_release(host));
  sha.field(package_database(host, cache));
  for (const auto& name : host.directories) {
    sha.field("directory").field(name);
  }
  for (const auto& [name, target] : host.symlinks) {
    sha.field("symlink").field(name).field(target);
  }
  for (const auto& path : host.masked) {
    sha.field("masked").field(path);
  }
  return sha.finish();
}

PlannedTree plan_host_layer(const Host& host) {
  PlannedTree plan;
  plan_host_files(plan, host);
  plan_host_masks(plan, host);
  return plan;
}

Json host_details(const Host& host, const PlannedTree& plan) {
  std::size_t hidden = 0;
  for (const auto& [path, entry] : plan) {
    hidden +=
        entry.kind == PlannedEntry::Kind::whiteout || entry.kind == PlannedEntry::Kind::opaque_directory;
  }
  return {
      {"os", pretty_name(os_release(host))},
      {"reproducible", false},
      {"note", "this machine's own programs, live and read-only: not reproducible on another machine, and a "
               "change to "
               "them that goes past the package manager is not noticed"},
      {"fingerprint_of", {"os-release", "package database", "top-level layout", "id space"}},
      {"id_space", name_of(host.id_space)},
      {"hidden_entries", hidden},
      {"copied", "/etc and parts of /var: files that everybody may read, as they were when it was built"},
      {"not_visible",
       {"/home", "/root", "/run", "/srv", "/tmp", "/mnt", "/media", "sockets", "files not public"}}};
}

} // namespace pyro::environment
