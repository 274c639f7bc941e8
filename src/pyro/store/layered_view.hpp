// Reads a stack of layers as overlayfs would show it, without mounting anything: whiteouts, opaque
// directories, and what is public of host directories below everything. Symlinks are found, never followed.
#pragma once

#include <pyro/os/fd.hpp>
#include <pyro/os/tree_walk.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

/// A directory of the host that lies below all layers at one place of the sandbox, as the lowest tree of an
/// overlay of its own.
struct HostDirectory {
  std::string path; // on the host: "/usr"
  std::string at;   // in the sandbox, relative, one component: "usr"; "" is the root

  bool operator==(const HostDirectory&) const = default;
};

/// One writable or captured tree. `at` is where its root lies in the sandbox, "" for the whole.
struct StackTree {
  std::string path;
  std::string at = {};

  bool operator==(const StackTree&) const = default;
};

/// A sandbox's root file system, bottom to top. A live sandbox adds one tree per part of its writable
/// generation.
struct Stack {
  std::vector<StackTree> trees;
  std::vector<HostDirectory> host_directories;
  /// Directories of the host that cover a place of the sandbox, by that place ("workspace/src"): what lies
  /// below is not there, for those who look at what its processes see.
  std::map<std::string, std::string> live = {};

  /// Are there overlays beside the root's?
  bool has_parts() const;
  static Stack of(const std::vector<std::string>& trees, std::vector<HostDirectory> host_directories = {});
};

/// Where an entry was found.
struct Found {
  std::string tree; // the tree's root on disk
  std::string path; // relative to that root
  struct stat status;
  std::shared_ptr<os::Fd> root = {}; // the tree's root where it is open already

  bool is_directory() const { return S_ISDIR(status.st_mode); }

  bool is_file() const { return S_ISREG(status.st_mode); }

  bool is_symlink() const { return S_ISLNK(status.st_mode); }

  /// A regular file for reading, through openat2 beneath the tree; `stale` when it is gone or no longer one.
  os::Fd open() const;
  std::string link_target() const;
};

/// One merged directory: the directories of all trees that take part in it, top first.
class LayeredDirectory {
public:
  struct Source {
    std::string root; // of the tree (or host directory) on disk
    std::string path; // in that tree
    std::shared_ptr<os::Fd> fd;
    std::shared_ptr<os::Fd> root_fd;
    bool public_only = false; // a directory of this machine, of which only what everybody may read is there
  };

  /// One entry of this directory; nullopt: not there (or deleted).
  std::optional<Found> lookup(const std::string& name) const;
  /// The merged directory below; nullopt where `name` is no directory.
  /// Directories that `other` (of another stack) has open are shared instead of opened again.
  std::optional<LayeredDirectory>
  enter(const std::string& name, const LayeredDirectory* other = nullptr) const;
  /// The same where another overlay is mounted at `name`; nullopt where none is.
  std::optional<LayeredDirectory> part(const std::string& name) const;
  /// Names of the merged directory, sorted.
  std::vector<std::string> names() const;

  bool empty() const { return names().empty(); }

  /// Names in this directory at which another overlay is mounted.
  std::vector<std::string> part_names() const;

  const std::vector<Source>& sources() const { return m_sources; }

  /// This directory itself, as the topmost tree has it. Only where there are sources.
  Found self() const;

private:
  friend class LayeredView;

  /// The merged directory where an overlay of its own is mounted (also the root, ""); nullopt where none is.
  /// Trees that `above` has open are not opened again.
  static std::optional<LayeredDirectory> part_at(
      const std::shared_ptr<const Stack>& stack, const std::string& at,
      const LayeredDirectory* above = nullptr);

  LayeredDirectory(std::shared_ptr<const Stack> stack, std::string path)
      : m_stack(std::move(stack)), m_path(std::move(path)),
        m_has_parts(m_stack->has_parts() && !part_names().empty()) {}

  bool is_part(const std::string& name) const;
  bool is_covered(const std::string& name) const;
  std::shared_ptr<os::Fd> shared_source(const std::string& root, const std::string& path) const;

  std::shared_ptr<const Stack> m_stack;
  std::string m_path; // in the sandbox, relative
  bool m_has_parts;
  std::vector<Source> m_sources;
};

class LayeredView {
public:
  explicit LayeredView(Stack stack);

  LayeredDirectory root() const;
  /// `path` is relative to the sandbox's root, "" is the root. A leading slash is ignored; ".." is refused.
  std::optional<Found> lookup(const std::string& path) const;
  std::optional<LayeredDirectory> directory(const std::string& path) const;
  /// Sorted names; throws not_found where `path` is no directory.
  std::vector<std::string> list(const std::string& path) const;

  /// What a regular file holds; nullopt: there is none, it is larger than `limit` bytes, or goes away just
  /// now.
  std::optional<std::string> maybe_read(const std::string& path, std::size_t limit) const;

  const Stack& stack() const { return *m_stack; }

private:
  std::shared_ptr<const Stack> m_stack;
};

/// "a/b/c" → {"a","b","c"}; throws invalid_argument for "..", NUL.
std::vector<std::string> path_components(const std::string& path);

} // namespace pyro::store
