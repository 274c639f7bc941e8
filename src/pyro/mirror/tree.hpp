// Changes the tree of a mirror, entry by entry. Each appears at once and complete: it is made in a staging
// directory and renamed into place. Works in the ids of the inside (os::IdSpace::run).
#pragma once

#include "index.hpp"

#include <pyro/os/beneath.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <set>
#include <string>
#include <vector>

namespace pyro::mirror {

class MirrorTree {
public:
  /// Two directories of one file system, made where missing; of `staging` what is in it is nobody's.
  MirrorTree(const std::string& tree, const std::string& staging);
  MirrorTree(const MirrorTree&) = delete;
  MirrorTree& operator=(const MirrorTree&) = delete;

  int root() const { return m_root.get(); }

  /// Whatever is there, with all below it; fine when nothing is.
  void remove(const std::string& path);
  /// Takes a file out of the tree; the name in the staging area, to be put() elsewhere.
  std::string set_aside(const std::string& path);

  /// A directory stays; finish() gives it its look. A symlink, whiteout or FIFO replaces what is there.
  void put_directory(const std::string& path, const protocol::UpperEntry& entry);
  void put_special(const std::string& path, const protocol::UpperEntry& entry);

  /// A new file to be filled, its name in the staging area.
  os::Fd create(std::string& staged) const;
  /// Gives a file that create() made its look.
  void dress(int file, const protocol::UpperEntry& entry);
  void put(const std::string& staged, const std::string& path);
  /// `path` becomes another name of the file `first`.
  void put_link(const std::string& first, const std::string& path);

  /// How a regular file of the tree looks now; nullopt: there is none.
  std::optional<MirrorMark> mark_of(const std::string& path);

  /// Directories get their look again where something in them was changed, or they are new.
  void finish(std::string_view list, const protocol::UpperLimits& limits);

  /// Attributes and owners that this machine does not let us set.
  std::uint64_t lost() const { return m_lost; }

private:
  std::string next_name() const;
  void touch_parent(const std::string& path);
  void move_in(const std::string& staged, const std::string& path);

  std::string m_staging_path;
  os::Fd m_root;
  os::Fd m_staging;
  os::Beneath m_beneath;
  mutable std::uint64_t m_names = 0;
  std::set<std::string> m_touched; // directories
  std::uint64_t m_lost = 0;
};

} // namespace pyro::mirror
