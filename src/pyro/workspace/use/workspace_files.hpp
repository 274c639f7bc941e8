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

struct ListRequest {
  bool recursive = false;
  std::size_t limit = k_max_listed;
  std::string cursor; // `next_cursor` of the list before this one; empty: from the beginning
};

/// `path` is relative to /workspace. {"path", "entries": [{path, artifact_type, size_bytes, link_target}],
/// "truncated", "next_cursor"}: a directory's content, a file itself.
Json list_files(const store::LayeredView& view, const std::string& path, const ListRequest& request);

/// {"path", "size_bytes", "content" (base64), "bytes_read"}: bytes of a regular file from `offset` on.
Json read_file_bytes(
    const store::LayeredView& view, const std::string& path, std::uint64_t offset, std::size_t limit);

struct ContentPart {
  std::string content;
  std::string encoding;    // utf-8 or base64
  std::uint64_t bytes = 0; // how many of the file that is
};

/// Of bytes with which the rest of a file, of this size, begins: at most max_chars characters of text, or as
/// many bytes in base64 where they are no UTF-8.
ContentPart text_or_base64(const std::string& bytes, std::uint64_t rest, std::int64_t max_chars);

} // namespace pyro::workspace
