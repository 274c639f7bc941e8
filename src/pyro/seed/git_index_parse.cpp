#include "git_index_parse.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <array>

namespace pyro::seed {

namespace {

constexpr std::size_t k_before_name = 40; // the stat fields of an entry
constexpr std::size_t k_max_path = 4096;
constexpr std::uint16_t k_extended_flag = 0x4000;
constexpr std::uint16_t k_stage_mask = 0x3000;
constexpr std::uint16_t k_name_mask = 0x0fff;
constexpr std::uint16_t k_intent_to_add = 0x2000;
constexpr unsigned k_word_bits = 64;
constexpr std::uint32_t k_most_entries = 1 << 24; // more than fit into the largest index that is read

[[noreturn]] void unknown_form(std::string_view what) {
  throw Error(ErrorCode::unavailable, "git's index is of a form that pyro does not read: {}", what)
      .with_hint("seed.git: all takes all files without asking it");
}

/// Bounded big-endian reading.
class IndexReader {
public:
  explicit IndexReader(std::string_view bytes) : m_bytes(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > m_bytes.size() - m_at) {
      throw_damaged_git_index("it ends too early");
    }
    auto result = m_bytes.substr(m_at, count);
    m_at += count;
    return result;
  }

  std::uint64_t wide(std::size_t bytes) {
    std::uint64_t value = 0;
    for (char c : take(bytes)) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }

  std::uint32_t number(std::size_t bytes) { return static_cast<std::uint32_t>(wide(bytes)); }

  std::string_view until_nul() {
    auto end = m_bytes.find('\0', m_at);
    if (end == std::string_view::npos || end - m_at > k_max_path) {
      throw_damaged_git_index("a path has no end");
    }
    auto result = m_bytes.substr(m_at, end - m_at);
    m_at = end + 1;
    return result;
  }

  /// The offset encoding of version 4.
  std::size_t variable() {
    auto byte = number(1);
    std::size_t value = byte & 127;
    while (byte & 128) {
      if (value > k_max_path) {
        throw_damaged_git_index("a path prefix is out of range");
      }
      byte = number(1);
      value = ((value + 1) << 7) | (byte & 127);
    }
    return value;
  }

  std::size_t at() const { return m_at; }

  std::size_t left() const { return m_bytes.size() - m_at; }

private:
  std::string_view m_bytes;
  std::size_t m_at = 0;
};

/// The numbers of a bitmap in git's EWAH encoding: words that say how many equal words follow, and how many
/// that are written out.
class BitmapReader {
public:
  explicit BitmapReader(IndexReader& reader) : m_reader(reader), m_bits(reader.number(4)) {
    auto words = reader.number(4);
    if (words > reader.left() / sizeof(std::uint64_t) || m_bits > k_most_entries) {
      throw_damaged_git_index("a bitmap is longer than the file");
    }
    while (words > 0) {
      words = group(words);
    }
    reader.number(4); // where a writer would go on
  }

  std::vector<std::uint32_t> take() { return std::move(m_set); }

private:
  /// Reads a group of words; returns how many are left.
  std::uint32_t group(std::uint32_t words) {
    const auto head = m_reader.wide(sizeof(std::uint64_t));
    const bool value = (head & 1) != 0;
    const auto equal = (head >> 1) & 0xffffffffU;
    const auto written = head >> 33;
    if (written > words - 1) {
      throw_damaged_git_index("a bitmap is longer than it says");
    }
    const auto end = m_at + equal * k_word_bits;
    if (end > std::uint64_t{m_bits} + k_word_bits) {
      throw_damaged_git_index("a bitmap is longer than it says");
    }
    if (value) {
      for (; m_at < end; ++m_at) {
        add(m_at);
      }
    }
    m_at = end;
    for (std::uint64_t i = 0; i < written; ++i, m_at += k_word_bits) {
      const auto word = m_reader.wide(sizeof(std::uint64_t));
      for (unsigned bit = 0; bit < k_word_bits; ++bit) {
        if ((word >> bit & 1) != 0) {
          add(m_at + bit);
        }
      }
    }
    return words - 1 - static_cast<std::uint32_t>(written);
  }

  void add(std::uint64_t bit) {
    if (bit >= m_bits) {
      throw_damaged_git_index("a bitmap names what is not there");
    }
    m_set.push_back(static_cast<std::uint32_t>(bit));
  }

  IndexReader& m_reader;
  std::uint32_t m_bits;
  std::uint64_t m_at = 0;
  std::vector<std::uint32_t> m_set;
};

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

class IndexParser {
public:
  IndexParser(std::string bytes, std::size_t object_name_bytes)
      : m_object_name_bytes(object_name_bytes),
        m_bytes(std::make_shared<const std::string>(std::move(bytes))),
        m_arena(std::make_shared<std::string>()), m_reader(*m_bytes) {}

  GitIndexBytes run() {
    if (m_reader.take(4) != "DIRC") {
      throw_damaged_git_index("it does not start with DIRC");
    }
    m_version = m_reader.number(4);
    if (m_version < 2 || m_version > 4) {
      unknown_form(fmt::format("version {}", m_version));
    }
    const auto count = m_reader.number(4);
    if (count > m_reader.left() / (k_before_name + m_object_name_bytes + 3)) {
      throw_damaged_git_index("it claims more entries than it can hold");
    }
    m_result.entries.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      entry();
    }
    extensions();
    for (std::size_t i = 0; i < m_compressed.size(); ++i) {
      m_result.entries[i].path =
          std::string_view(*m_arena).substr(m_compressed[i].offset, m_compressed[i].size);
    }
    m_result.storage = {m_bytes, m_arena};
    return std::move(m_result);
  }

private:
  /// Paths of version 4 lie in one growing block; offsets first, since the block moves.
  struct PathRef {
    std::size_t offset;
    std::size_t size;
  };

  void entry() {
    const auto start = m_reader.at();
    m_reader.take(24);
    GitIndexEntry found;
    found.mode = m_reader.number(4);
    m_reader.take(12);
    found.object = m_reader.take(m_object_name_bytes);
    const auto flags = static_cast<std::uint16_t>(m_reader.number(2));
    found.in_merge = (flags & k_stage_mask) != 0;
    if (flags & k_extended_flag) {
      if (m_version < 3) {
        throw_damaged_git_index("an entry has flags of a later version");
      }
      found.is_file = (m_reader.number(2) & k_intent_to_add) == 0 || found.mode != 0;
    }
    found.path = m_version == 4 ? compressed_path() : plain_path(start, flags & k_name_mask);
    check(found);
    if (m_version == 4) {
      m_compressed.push_back({m_arena->size(), found.path.size()});
      m_arena->append(found.path);
    }
    m_result.entries.push_back(found);
  }

  std::string_view compressed_path() {
    const auto strip = m_reader.variable();
    if (strip > m_previous.size()) {
      throw_damaged_git_index("a path prefix is out of range");
    }
    m_previous.erase(m_previous.size() - strip);
    m_previous += m_reader.until_nul();
    return m_previous;
  }

  std::string_view plain_path(std::size_t start, std::size_t length) {
    std::string_view path;
    if (length < k_name_mask) {
      path = m_reader.take(length);
      if (m_reader.number(1) != 0) {
        throw_damaged_git_index("a path has no end");
      }
    } else {
      path = m_reader.until_nul();
    }
    while ((m_reader.at() - start) % 8 != 0) { // padded with NULs to a multiple of eight
      m_reader.take(1);
    }
    return path;
  }

  static void check(const GitIndexEntry& entry) {
    const bool is_directory = entry.mode == k_git_directory_mode;
    if (entry.path.size() > k_max_path || entry.path.find('\0') != std::string_view::npos
        || (!entry.path.empty() && entry.path.ends_with('/') != is_directory) || entry.path == "/") {
      throw_damaged_git_index("an entry has no proper path");
    }
  }

  void extensions() {
    while (m_reader.left() > m_object_name_bytes) {
      const auto name = m_reader.take(4);
      const auto content = m_reader.take(m_reader.number(4));
      if (name == "link") {
        m_result.link = split_link(content);
      } else if (name != "sdir" && (name[0] < 'A' || name[0] > 'Z')) {
        // A small letter: it changes what the entries mean.
        unknown_form("it has an extension of a later git");
      }
    }
  }

  std::optional<SplitLink> split_link(std::string_view content) const {
    IndexReader reader(content);
    const auto name = reader.take(m_object_name_bytes);
    if (name.find_first_not_of('\0') == std::string_view::npos) {
      return std::nullopt; // nothing is shared
    }
    SplitLink link;
    link.shared = hexadecimal(name);
    if (reader.left() > 0) {
      link.deleted = BitmapReader(reader).take();
      link.replaced = BitmapReader(reader).take();
    }
    return link;
  }

  std::size_t m_object_name_bytes;
  std::shared_ptr<const std::string> m_bytes;
  std::shared_ptr<std::string> m_arena;
  IndexReader m_reader;
  std::uint32_t m_version = 0;
  std::string m_previous;
  std::vector<PathRef> m_compressed;
  GitIndexBytes m_result;
};

} // namespace

void throw_damaged_git_index(std::string_view what) {
  throw Error(ErrorCode::protocol, "git index is damaged: {}", what);
}

GitIndexBytes parse_git_index(std::string bytes, std::size_t object_name_bytes) {
  return IndexParser(std::move(bytes), object_name_bytes).run();
}

} // namespace pyro::seed
