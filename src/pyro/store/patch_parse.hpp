// Reads unified diffs as git and diff -u write them. Applying them is patch_apply.hpp's work, writing them
// text_patch.hpp's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

struct PatchHunk {
  struct Line {
    char mark;        // ' ', '-' or '+'
    std::string text; // with its newline where it has one
  };

  std::size_t before = 0; // first line of the old side, from 0
  std::vector<Line> lines;
  std::size_t patch_line = 0; // where it begins in the patch, from 1
};

/// What one patch does to one file. Paths are relative, without the a/ and b/.
struct FilePatch {
  std::optional<std::string> before; // absent: the file is new
  std::optional<std::string> after;  // absent: it is deleted
  std::optional<bool> executable;    // the new mode where the patch tells one
  bool keeps_source = false;         // a copy: `before` stays
  std::vector<PatchHunk> hunks;
};

/// Text around patches (a mail, a commit's message) is skipped. Throws Error(invalid_argument) with the line
/// for what is malformed, for binary patches, symlinks and submodules, and where there is no patch at all.
std::vector<FilePatch> parse_patch(std::string_view patch);

} // namespace pyro::store
