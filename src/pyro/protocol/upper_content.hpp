// /upper/read: contents of files of the agent's writable layer. After the request, {}, the host streams paths
// as data_in (encode_upper_path), any number; the answer's data holds for each of them, in the same order, a
// header, pieces, and an end. Result: {}. What there is to read: upper_list.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_upper_read = "/upper/read";
} // namespace path

/// Deeper trees than PATH_MAX allows are read as well.
inline constexpr std::size_t k_max_upper_path = 1 << 20;
inline constexpr std::size_t k_max_upper_piece = 64 << 10;

/// [u32 big-endian length][path]
std::string encode_upper_path(std::string_view path);
/// The length that these four bytes announce; Error(protocol) above k_max_upper_path.
std::size_t upper_path_length(std::string_view four_bytes);

/// The file as it was when it was opened.
struct UpperFile {
  bool is_there = false; // false: no such regular file, and neither pieces nor an end follow
  std::uint64_t inode = 0;
  std::uint64_t size = 0; // no more than this many bytes follow
  std::int64_t ctime_ns = 0;
};

std::string encode_upper_file(const UpperFile& file);
/// At most k_max_upper_piece.
std::string encode_upper_data(std::string_view bytes);
/// Nothing but zeros, for which no room was taken.
std::string encode_upper_hole(std::uint64_t length);
/// `changed`: size or times are no longer what they were, what was sent may be of no one moment.
enum class UpperChanged : std::uint8_t { no, yes };
std::string encode_upper_end(UpperChanged changed);

/// The answer's data in pieces of any cut. Throws Error(protocol) for what breaks the rules: more bytes than
/// announced; fewer, where it did not change.
class UpperContentDecoder {
public:
  struct Sink {
    std::function<void(const UpperFile& file)> file;
    std::function<void(std::string_view bytes)> data;
    std::function<void(std::uint64_t length)> hole;
    std::function<void(UpperChanged changed)> end;
  };

  explicit UpperContentDecoder(Sink sink) : m_sink(std::move(sink)) {}

  void feed(std::string_view bytes);

  /// Between two files.
  bool at_boundary() const { return m_head.empty() && !m_in_file && m_piece_left == 0; }

private:
  void take_head();
  void take_file(std::string_view fields);
  void count(std::uint64_t length);

  Sink m_sink;
  std::string m_head; // of a record, up to what it needs
  bool m_in_file = false;
  std::uint64_t m_left = 0; // of the file
  std::size_t m_piece_left = 0;
};

} // namespace pyro::protocol
