// What a mirror is known to hold: the list it was made from, and for each entry how the mirror's own copy
// looks. Written last, so an entry is never known before it is there. The mirror itself: mirror.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::mirror {

/// Of one entry of the list, in its order.
struct MirrorMark {
  bool in_doubt = true;      // the copy may not be what the list says: it is fetched again
  std::uint64_t inode = 0;   // of the copy; of regular files only
  std::int64_t ctime_ns = 0; // the same

  bool operator==(const MirrorMark&) const = default;
};

struct MirrorIndex {
  std::string identity; // of the disk that it is a mirror of
  std::string boot_id;  // of this machine: what was not synced is lost at the end of a boot
  std::string list;     // records of /upper/list, checked
  std::vector<MirrorMark> marks;
};

/// nullopt: there is none, or none that is of use.
std::optional<MirrorIndex> load_mirror_index(const std::string& path);
void save_mirror_index(const std::string& path, const MirrorIndex& index);

} // namespace pyro::mirror
