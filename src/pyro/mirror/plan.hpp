// What has to be done to a mirror: two lists compared. Pure; the doing is tree.hpp.
#pragma once

#include "index.hpp"

#include <pyro/protocol/upper_list.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::mirror {

struct MirrorChange {
  std::string path;
  protocol::UpperEntry entry;
  std::size_t ordinal = 0; // in the new list
  std::string moved_from;  // where the mirror has this very file under a name that is gone; often empty
};

struct MirrorPlan {
  std::vector<std::string> removed;  // whole trees by their topmost entry
  std::vector<MirrorChange> changed; // new ones too; a directory before its content
  std::vector<MirrorMark> marks;     // of the new list: those of unchanged entries are known
  std::uint64_t unchanged = 0;
};

/// For an entry of both lists that looks the same in both: is the mirror's copy really there?
using StillThere =
    std::function<bool(const std::string& path, const protocol::UpperEntry& entry, const MirrorMark& mark)>;

/// `known` is empty where nothing is known. Throws as UpperListReader does for a `fresh` list that breaks the
/// rules.
MirrorPlan plan_mirror(
    const MirrorIndex& known, std::string_view fresh, const protocol::UpperLimits& limits,
    const StillThere& still_there = {});

} // namespace pyro::mirror
