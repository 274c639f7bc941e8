// /upper/list: everything in the agent's writable layer, so that a host that cannot see its disk keeps a
// mirror of it. The request is {}; the answer's data is one record per entry, its result an
// UpperListResult. Contents: upper_content.hpp. /upper/settle {grace_ms} → {}: ends every process, as
// /shutdown does, but the agent stays: what is listed then is final.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_upper_list = "/upper/list";
inline constexpr std::string_view k_upper_settle = "/upper/settle";
} // namespace path

struct UpperEntry {
  enum class Kind : std::uint8_t {
    directory,
    file,
    symlink,
    whiteout, // character device 0:0
    fifo,
    other, // a socket or a device: no copy keeps it
  };

  std::uint32_t depth = 0; // of the root 0, of what lies in it 1
  std::string name;        // in its directory; of the root empty
  Kind kind = Kind::directory;
  std::uint32_t mode = 0; // 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool attributes_left_out = false; // they are too large to be sent
  std::string target;               // of a symlink
  std::map<std::string, std::string> xattrs;

  bool operator==(const UpperEntry&) const = default;
};

struct UpperListResult {
  std::string identity;      // of the file system and directory: another disk has another one
  std::int64_t began_ns = 0; // by the clock of file times, before the first entry was looked at
};

Json to_json(const UpperListResult& value);
UpperListResult upper_list_result_from_json(const Json& value);

inline constexpr std::size_t k_max_upper_record = 256 << 10;

/// [u32 length][fields]. An entry that would be above k_max_upper_record goes without its attributes.
std::string encode_upper_entry(const UpperEntry& entry);

struct UpperLimits {
  std::uint64_t entries = 4'000'000;
  std::uint32_t depth = 2000;
  /// Of all paths together, which those who read the list keep: a directory's own length counts for each
  /// entry below it, so that a small list can stand for more than any memory holds.
  std::uint64_t path_bytes = std::uint64_t{1} << 30;
};

/// Reads a whole list: a directory comes right before its content, names in byte order, nothing twice.
/// Throws Error(protocol) for anything else, Error(failed) above a limit. What it returns can be trusted as
/// far as: names are single components, parents are directories that came before, and `path` is theirs
/// joined.
class UpperListReader {
public:
  explicit UpperListReader(std::string_view bytes, const UpperLimits& limits = {})
      : m_rest(bytes), m_limits(limits) {}

  /// nullopt: the end.
  std::optional<UpperEntry> next();

  /// Of the entry that next() returned last, relative; of the root "".
  const std::string& path() const { return m_path; }

  /// How many next() has returned.
  std::uint64_t count() const { return m_count; }

private:
  struct Directory {
    std::size_t path_length = 0;
    std::string last_name; // of what it holds
  };

  void place(const UpperEntry& entry);

  std::string_view m_rest;
  UpperLimits m_limits;
  std::vector<Directory> m_directories; // those that hold the last entry, and itself where it is one
  std::string m_path;
  std::uint64_t m_count = 0;
  std::uint64_t m_path_bytes = 0;
};

} // namespace pyro::protocol
