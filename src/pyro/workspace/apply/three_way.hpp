// The decisions of a three-way synchronisation: what was there before, what is wanted now, and what somebody
// made of it inside meanwhile. Pure: who asks has compared the contents.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// One path; "same" is of type and content, and where both have nothing they are the same.
struct ThreeWay {
  bool is_wanted = false;      // it exists in what is wanted now
  bool same_as_before = false; // inside is what was brought in before
  bool same_as_wanted = false; // inside is what is wanted already
};

enum class SyncStep {
  nothing,
  take,     // inside becomes what is wanted
  remove,   // it goes inside
  conflict, // inside is neither: it is left alone
};

SyncStep decide(const ThreeWay& path);

/// Permission bits: those of the inside where somebody changed them there, else the wanted ones.
mode_t merged_mode(mode_t before, mode_t wanted, mode_t inside);

/// The directories that hold nothing any more once `removed` is gone, deepest first, without those for which
/// `is_kept` is true and those above them. `names` lists a directory. Paths are relative and normal.
std::vector<std::string> emptied_directories(
    const std::set<std::string>& removed,
    const std::function<std::vector<std::string>(const std::string& directory)>& names,
    const std::function<bool(const std::string& directory)>& is_kept);

/// Is `path` below one of `directories`?
bool is_below_any(const std::set<std::string>& directories, const std::string& path);

} // namespace pyro::workspace
