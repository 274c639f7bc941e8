// Writes a tree beneath one directory from names that somebody else chose (archive members, files from a
// guest). Nothing leaves the directory and no symlink is ever followed. For trees of our own use plain
// openat(2).
#pragma once

#include "fd.hpp"

#include <sys/types.h>

#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pyro::os {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// What an entry wants to be; the policy decides what it gets.
struct EntryMeta {
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<timespec> mtime;
  Xattrs xattrs;
};

/// A regular file of the trees below.
struct LowerFile {
  Fd content;
  EntryMeta meta;
};

/// What the tree that is written will lie on, for layers: archives may leave out directories that exist below
/// already, and link to files there. Empty functions: nothing is below.
struct LowerTree {
  /// Metadata of a directory below, "" is the root; nullopt: nothing is there. Throws where it is no
  /// directory.
  std::function<std::optional<EntryMeta>(const std::string& path)> directory;
  /// nullopt: no regular file is there.
  std::function<std::optional<LowerFile>(const std::string& path)> file;
};

enum class Owners {
  ours,       // whoever runs this
  from_entry, // as the entry says (needs privilege)
  fixed,      // the policy's uid and gid
};

/// Names that begin with a slash: umoci writes them into layers, where only the layer's own root can be
/// meant.
enum class AbsoluteNames { refuse, below_root };

struct TreePolicy {
  mode_t mode_mask = 0777; // 07000 is dropped unless asked for
  Owners owners = Owners::ours;
  uid_t uid = 0;
  gid_t gid = 0;
  bool keep_capabilities = false; // security.capability; every other security.* is dropped whatever this says
  AbsoluteNames absolute_names = AbsoluteNames::refuse;
  std::size_t max_path = 4095;
  std::size_t max_depth = 256;
  /// Name of the overlayfs attribute that marks a directory as opaque.
  std::string opaque_xattr = "user.overlay.opaque";
  LowerTree lower;
};

/// Error(invalid_file) "unsafe archive member path: '...'" with the reason behind it.
[[noreturn]] void throw_unsafe_member(std::string_view path, std::string_view reason);

/// Drops "./", doubled and trailing slashes; refuses "..", absolute, empty, NUL and overlong paths. "" is the
/// root itself.
std::string normal_member_path(std::string_view path, const TreePolicy& policy);

/// True where the attribute may be given to a file under this policy (only user.*, never user.overlay.*).
bool may_keep_xattr(std::string_view name, const TreePolicy& policy);

/// A later entry of the same path replaces an earlier one, except that directories stay directories.
/// Paths are relative and normal (normal_member_path). Missing parents are made as they are below, or with
/// mode 0755.
class TreeWriter {
public:
  /// `directory` must stay open and nobody else may write below it.
  TreeWriter(int directory, TreePolicy policy);
  ~TreeWriter() = default;
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;

  /// "" sets the metadata of the root.
  void add_directory(const std::string& path, const EntryMeta& meta);
  /// `fill` writes the content to the descriptor it is given.
  void add_file(const std::string& path, const EntryMeta& meta, const std::function<void(int fd)>& fill);
  /// The target is only stored, so any target is fine.
  void add_symlink(const std::string& path, const std::string& target, const EntryMeta& meta);
  /// `target` is a regular file or symlink added before, or a regular file below: that is copied up first.
  void add_hardlink(const std::string& path, const std::string& target);
  /// overlayfs' mark of a deleted name (a 0:0 character device). What this tree itself holds under the name
  /// stays.
  void add_whiteout(const std::string& path);
  /// What layers below hold in this directory is hidden.
  void make_opaque(const std::string& path);

  /// Gives directories their mode and time, deepest first. Without it the tree is not finished.
  void finish();

  /// Attributes that the policy refused so far.
  std::size_t dropped_xattrs() const { return m_dropped_xattrs; }

  /// Would this tree be another one on other lower trees? (The root's metadata apart.) After finish().
  bool stands_on_lower() const { return m_stands_on_lower; }

private:
  struct Place {
    int directory;
    std::string name;
  };

  Place place_of(const std::string& path);
  Fd open_or_make(const std::string& directory, const std::string& whole);
  /// Brings a file of the trees below into this one; false: there is none.
  bool copy_up(const std::string& path);
  void make_directory_at(int parent, const std::string& name, const std::string& path);
  void make_room(const Place& place, const std::string& path);
  /// Runs `make` (a system call that fails with EEXIST), once more after making room.
  template <typename Make>
  void make_entry(const Place& place, const std::string& path, Make make);
  void apply(int fd, const EntryMeta& meta, const std::string& path);
  std::pair<uid_t, gid_t> owner_for(const EntryMeta& meta) const;

  int m_root;
  TreePolicy m_policy;
  std::string m_parent_path;
  Fd m_parent;
  bool m_parent_known = false;
  std::map<std::string, EntryMeta> m_directories; // what finish() gives them
  std::set<std::string> m_implicit;               // directories that no entry gave
  std::size_t m_dropped_xattrs = 0;
  bool m_stands_on_lower = false;
};

} // namespace pyro::os
