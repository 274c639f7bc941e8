#include "layout.hpp"

#include "disk_reserve.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/passwd_file.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::store {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string home() {
  if (auto value = environment("HOME"); !value.empty()) {
    return value;
  }
  const auto entry = os::find_in_passwd(::geteuid());
  if (!entry) {
    throw Error(ErrorCode::unavailable, "cannot tell where your home directory is")
        .with_hint("set HOME or PYRO_HOME");
  }
  return entry->home;
}

/// The same place by a path whose directories are real ones, as os::list_directory() and its like want it;
/// what the last name is, is for the caller to see.
std::string through_real_directories(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  const std::filesystem::path named(path);
  return (std::filesystem::path(without_symlinks(named.parent_path())) / named.filename()).string();
}

/// `own`, else `xdg`/pyro, else `fallback` in the home directory. The XDG rules: a relative value is as good
/// as none.
std::string chosen_directory(const char* own, const char* xdg, const std::string& fallback) {
  if (const std::string value = environment(own); !value.empty()) {
    return through_real_directories(std::filesystem::absolute(value).lexically_normal().string());
  }
  if (const std::string value = environment(xdg); value.starts_with('/')) {
    return through_real_directories(value + "/pyro");
  }
  return through_real_directories(home() + "/" + fallback);
}

bool is_name(const std::string& name, std::size_t limit, bool (*first)(char), bool (*other)(char)) {
  return !name.empty() && name.size() <= limit && first(name.front())
         && std::all_of(name.begin() + 1, name.end(), other);
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_mark(char c) {
  return c == '.' || c == '_' || c == '-';
}

} // namespace

Base Base::from_environment() {
  const auto directory = chosen_directory("PYRO_HOME", "XDG_STATE_HOME", ".local/state/pyro");
  require_utf8(directory, "the state directory (PYRO_HOME)");
  return Base(directory);
}

Base::Base(std::string root) : m_root(std::move(root)) {
  while (m_root.size() > 1 && m_root.back() == '/') {
    m_root.pop_back();
  }
}

std::span<const std::string_view> Base::parts() {
  static constexpr std::array<std::string_view, 19> k_parts{
      "workspaces", "store",         "caches", "templates", "trust",  "locks", "exports",
      "stat-cache", "disk-projects", "empty",  "reserve",   "pruned", "mcp",   "failed",
      "outputs",    "verified",      "events", "ssh",       "index"};
  return k_parts;
}

void Base::prepare() const {
  prepare_private_directory(m_root);
  for (const std::string& path : {store(), layers(), recipes(), staging(), workspaces()}) {
    prepare_private_directory(path);
  }
  keep_reserve(reserve());
}

WorkspacePaths::WorkspacePaths(const Base& base, const std::string& id)
    : m_root(base.workspaces() + "/" + id) {
  if (!is_safe_name(id)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no id of a workspace", id);
  }
}

void WorkspacePaths::create() const {
  if (mkdir(m_root.c_str(), 0700) != 0) {
    throw Error::from_errno(errno, "create the workspace directory " + m_root);
  }
  os::crash_point("workspace.directory");
  for (const std::string& path :
       {generations(), snapshots(), baseline(), commands(), shells(), services(), runtime()}) {
    os::make_directories(path);
  }
}

namespace {

/// [a-z0-9][a-z0-9._-]*, at most 64.
bool is_snapshot_name(const std::string& name) {
  return is_name(name, 64, is_lower_or_digit, [](char c) { return is_lower_or_digit(c) || is_mark(c); });
}

void check_snapshot_name(const std::string& name) {
  if (!is_snapshot_name(name)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no name for a snapshot", name)
        .with_hint("names are [a-z0-9][a-z0-9._-]*, at most 64 characters");
  }
}

} // namespace

void check_removable_snapshot(const std::string& name) {
  if (name == "baseline") {
    throw Error(ErrorCode::invalid_argument, "cannot delete the baseline snapshot");
  }
}

void check_new_snapshot_name(const std::string& name) {
  check_snapshot_name(name);
  if (name == "baseline") {
    throw Error(ErrorCode::invalid_argument, "'baseline' is no name for a snapshot that is made by hand")
        .with_hint("every workspace has one of that name; take another, `--name` where it came from a tag");
  }
}

std::string WorkspacePaths::memory(const std::string& name) const {
  check_snapshot_name(name);
  return m_root + "/memory/" + name;
}

std::string WorkspacePaths::snapshot(const std::string& name) const {
  check_snapshot_name(name);
  return (name == "baseline" ? baseline() : snapshots()) + "/" + name + ".json";
}

void migrate_workspace(const WorkspacePaths& paths, int from_version) {
  if (from_version > 1) {
    return;
  }
  // Version 2 keeps the baseline's record apart from those of named snapshots.
  os::make_directories(paths.baseline());
  if (rename(paths.baseline_of_version_1().c_str(), paths.snapshot("baseline").c_str()) != 0
      && errno != ENOENT) {
    throw Error::from_errno(errno, "move the baseline record of " + paths.root());
  }
  os::sync_directory(paths.snapshots());
  os::sync_directory(paths.baseline());
}

void remove_old_temporaries(const WorkspacePaths& paths) {
  for (const std::string& path :
       {paths.root(), paths.baseline(), paths.snapshots(), paths.services(), paths.commands(),
        paths.runtime()}) {
    os::remove_old_temporaries(path);
  }
}

std::string environment_cache_directory() {
  return without_symlinks(chosen_directory("PYRO_ENVIRONMENT_CACHE_DIR", "XDG_CACHE_HOME", ".cache/pyro"));
}

std::string without_symlinks(const std::string& path) {
  std::error_code none;
  const auto real = std::filesystem::weakly_canonical(path, none);
  return none ? path : real.string();
}

void prepare_private_directory(const std::string& path) {
  struct stat status {};

  if (lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      throw Error::from_errno(errno, "look at " + path);
    }
    os::make_directories(path);
    if (lstat(path.c_str(), &status) != 0) {
      throw Error::from_errno(errno, "look at " + path);
    }
  }
  const auto refuse = [&path](std::string_view why) {
    throw Error(ErrorCode::permission, "{} {}", path, why)
        .with_hint("set PYRO_HOME to a directory of your own that only you may write to");
  };
  if (S_ISLNK(status.st_mode)) {
    refuse("is a symlink");
  }
  if (!S_ISDIR(status.st_mode)) {
    refuse("is not a directory");
  }
  if (status.st_uid != geteuid()) {
    refuse("belongs to somebody else");
  }
  if ((status.st_mode & 0022) != 0) {
    refuse("may be written to by others");
  }
}

bool is_safe_name(const std::string& name) {
  return is_name(name, 128, is_alphanumeric, [](char c) { return is_alphanumeric(c) || is_mark(c); });
}

} // namespace pyro::store
