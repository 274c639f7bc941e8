// Unified diffs that `git apply` accepts. Which files differ is diff.hpp's work.
#pragma once

#include "diff.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

/// Files larger than this get no text patch.
inline constexpr std::uint64_t k_text_patch_limit = 16 << 20;

/// The patch of one entry, with its "diff --git" header; nullopt where it cannot be told as text: binary
/// content (a NUL or bytes that are no UTF-8), too large, symlinks, directories, type changes, changes of
/// owner.
std::optional<std::string> text_patch(const DiffEntry& entry);

/// For what became a directory: the patch that takes the text file or symlink away, so that the directory's
/// files can be made. nullopt where it was neither.
std::optional<std::string> removal_patch(const DiffEntry& entry);

/// One file's text: absent means it does not exist on that side. Mode counts by its executable bit, as in
/// git.
struct TextSide {
  std::string content;
  bool executable = false;
};

std::string text_patch(
    const std::string& path, const std::optional<TextSide>& before, const std::optional<TextSide>& after);

/// The name as git writes it in a patch: in quotes with escapes where it holds control characters, quotes,
/// backslashes or bytes beyond ASCII, else as it is.
std::string git_quoted(const std::string& name);

/// No NUL and valid UTF-8.
bool is_text(std::string_view content);

} // namespace pyro::store
