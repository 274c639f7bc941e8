#include "patch_apply.hpp"

#include "line_diff.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::store {

namespace {

using Lines = std::vector<std::string_view>;

std::vector<std::string_view> old_side(const PatchHunk& hunk) {
  std::vector<std::string_view> lines;
  for (const auto& line : hunk.lines) {
    if (line.mark != '+') {
      lines.emplace_back(line.text);
    }
  }
  return lines;
}

bool stands_at(const Lines& content, std::size_t at, const Lines& wanted) {
  return at + wanted.size() <= content.size()
         && std::equal(wanted.begin(), wanted.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
}

/// The place nearest to `guess`, not before `least`.
std::optional<std::size_t>
place_of(const Lines& content, std::size_t least, std::size_t guess, const Lines& wanted) {
  if (wanted.empty()) {
    return guess >= least && guess <= content.size() ? std::optional(guess) : std::nullopt;
  }
  for (std::size_t distance = 0; distance <= content.size() + guess; ++distance) {
    if (stands_at(content, guess + distance, wanted) && guess + distance >= least) {
      return guess + distance;
    }
    if (distance <= guess && guess - distance >= least && stands_at(content, guess - distance, wanted)) {
      return guess - distance;
    }
    if (guess + distance > content.size() && (distance > guess || guess - distance < least)) {
      break;
    }
  }
  return std::nullopt;
}

} // namespace

std::string
apply_hunks(std::string_view content, const std::vector<PatchHunk>& hunks, const std::string& path) {
  const auto lines = split_lines(content);
  std::string result;
  std::size_t at = 0;
  std::ptrdiff_t offset = 0;
  for (const auto& hunk : hunks) {
    const auto guess = static_cast<std::ptrdiff_t>(hunk.before) + offset;
    const auto place =
        place_of(lines, at, static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, guess)), old_side(hunk));
    if (!place) {
      throw Error(
          ErrorCode::bad_state, "patch does not apply: {}:{} (line {} of the patch)", path, hunk.before + 1,
          hunk.patch_line)
          .with_hint("nothing was changed");
    }
    offset = static_cast<std::ptrdiff_t>(*place) - static_cast<std::ptrdiff_t>(hunk.before);
    for (; at < *place; ++at) {
      result += lines[at];
    }
    for (const auto& line : hunk.lines) {
      if (line.mark != '-') {
        result += line.text;
      }
      at += line.mark == '+' ? 0 : 1;
    }
  }
  for (; at < lines.size(); ++at) {
    result += lines[at];
  }
  return result;
}

} // namespace pyro::store
