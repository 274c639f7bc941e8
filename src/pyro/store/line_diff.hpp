// The shortest edit script between two lists of lines (Myers' O(ND) algorithm) with a cap on the work.
#pragma once

#include <string_view>
#include <vector>

namespace pyro::store {

/// Lines [before, before + before_count) are replaced by [after, after + after_count). Counted from 0.
struct LineChange {
  int before;
  int before_count;
  int after;
  int after_count;
};

/// In ascending order, never touching each other. Where more than `cap` edits would be needed, everything
/// between the common beginning and the common end is one change.
std::vector<LineChange> line_changes(
    const std::vector<std::string_view>& before, const std::vector<std::string_view>& after, int cap = 2000);

/// Lines with their newline; the last one may lack it.
std::vector<std::string_view> split_lines(std::string_view text);

} // namespace pyro::store
