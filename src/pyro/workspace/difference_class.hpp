// Why two builds of one step have made different bytes, as far as the bytes tell. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pyro::workspace {

enum class DifferenceClass {
  time,    // equal but for times, of which those that are only numbers lie within the two builds
  order,   // the same lines or words in another order
  random,  // names and numbers of the same length that say nothing
  network, // neither, and the step could fetch something else the second time
  other,
};

std::string_view name_of(DifferenceClass value);

struct BuildSpan {
  std::int64_t from = 0; // epoch seconds: when the first build began
  std::int64_t to = 0;   // and the second ended
};

/// Of the contents of a file (or two names); `network`: the step reached one.
DifferenceClass class_of(std::string_view one, std::string_view other, const BuildSpan& span, bool network);

} // namespace pyro::workspace
