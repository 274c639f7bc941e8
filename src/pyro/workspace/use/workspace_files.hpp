// Listing and reading files of /workspace from its layers: the same for a stopped workspace, and whatever
// runs inside cannot hold it up.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/store/layered_view.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

/// Entries beyond that are not listed (`truncated`).
inline constexpr std::size_t k_max_listed = 100'000;
/// The most of a file that is read or written in one piece.
inline constexpr std::int64_t k_max_file_chars = 16 << 20;

/// `path` is relative to /workspace. {"path", "entries": [{path, artifact_type, size_bytes, link_target}],
/// "truncated"}: a directory's content, a file itself.
Json list_files(const store::LayeredView& view, const std::string& path, bool recursive);

/// {"path", "size_bytes", "content" (base64), "bytes_read"}: the first bytes of a regular file.
Json read_file_bytes(const store::LayeredView& view, const std::string& path, std::size_t limit);

/// {"content", "encoding", "truncated"} of the first bytes of a file of `size`: at most max_chars characters
/// of text, or as many bytes in base64 where they are no UTF-8.
Json text_or_base64(const std::string& bytes, std::uint64_t size, std::int64_t max_chars);

} // namespace pyro::workspace
