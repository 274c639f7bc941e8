// /files/change: one change of files in the sandbox, all or nothing. After the request the host streams
// records as data_in: a header (encode_record) and, for a file, its content right behind it. Only a `commit`
// record puts things in place; an input that ends without one changes nothing. Result: FileChangeResult.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_files_change = "/files/change";
} // namespace path

struct FileChangeRequest {
  std::string root = "/workspace"; // paths of records are relative to it; no symlink on the way
  std::string staging = "/.pyro";  // on the same file system; made and removed again
  std::string user;                // owner of entries that name none: as in ExecRequest
};

struct FileRecord {
  enum class Kind {
    directory, // one that exists already keeps its mode and owner
    file,      // `size` bytes follow
    symlink,   // to `target`
    hardlink,  // to `target`, a file of an earlier record
    remove,    // a file, a symlink or an empty directory; with `prune` also directories that get empty by it
    expect,    // the change is only made if a file of this size and mtime is there, or (`absent`) nothing
    commit,    // the last one
  };

  Kind kind = Kind::commit;
  std::string path;   // bytes, base64 in JSON
  std::string target; // the same
  std::uint64_t size = 0;
  std::uint32_t mode = 0644; // 07000 is dropped
  std::optional<std::int64_t> mtime_ns;
  std::optional<std::uint32_t> uid; // as inside
  std::optional<std::uint32_t> gid;
  std::map<std::string, std::string> xattrs; // user.* only
  bool prune = false;
  bool absent = false;
};

struct FileChangeResult {
  std::uint64_t added = 0;
  std::uint64_t replaced = 0;
  std::uint64_t removed = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t bytes = 0; // of content received
};

inline constexpr std::size_t k_max_record = 256 << 10;

Json to_json(const FileChangeRequest& value);
FileChangeRequest file_change_request_from_json(const Json& value);
Json to_json(const FileChangeResult& value);
FileChangeResult file_change_result_from_json(const Json& value);

/// [u32 big-endian length][JSON]. Throws Error(invalid_argument) above k_max_record.
std::string encode_record(const FileRecord& record);
FileRecord record_from_json(const Json& value);

/// Length of the header that these four bytes announce; Error(protocol) above k_max_record.
std::size_t record_length(std::string_view four_bytes);

} // namespace pyro::protocol
