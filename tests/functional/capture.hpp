// Of the tests of `pyro capture`: the tree of a sandbox, as it is and as the file makes it anew.
#pragma once

#include "flags.hpp"

namespace pyro::testing {

class Capture : public Flags {
public:
  /// Path, type, mode, owner and content of everything that find(1) finds with these words, as the sandbox
  /// sees it.
  std::string tree(const std::string& words) {
    const auto result = inside(
        "find " + words + " | sort | tr '\\n' '\\0' | xargs -0 stat -c '%N %A %u:%g' && find " + words
        + " -type f | sort | tr '\\n' '\\0' | xargs -0 -r md5sum");
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }

  /// Of a new workspace that the file as it is now makes.
  std::string tree_made_anew(const std::string& words) {
    expect(0, {"destroy", "--yes", "--snapshots"});
    expect(0, {"apply", "--no-cache", "--yes"});
    return tree(words);
  }
};

} // namespace pyro::testing
