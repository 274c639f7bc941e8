#include "upper_content.hpp"

#include "octets.hpp"

#include <limits>

namespace pyro::protocol {

namespace {

enum class Tag : char { file = 'F', gone = 'G', data = 'D', hole = 'H', end = 'E' };

/// Octets of a record's head, its tag among them; a data record's bytes come after it.
std::size_t head_size(char tag) {
  switch (static_cast<Tag>(tag)) {
  case Tag::file:
    return 1 + 3 * sizeof(std::uint64_t);
  case Tag::gone:
    return 1;
  case Tag::data:
    return 1 + sizeof(std::uint32_t);
  case Tag::hole:
    return 1 + sizeof(std::uint64_t);
  case Tag::end:
    return 2;
  }
  throw Error(ErrorCode::protocol, "content of the writable layer: an unknown record");
}

} // namespace

std::string encode_upper_path(std::string_view path) {
  std::string record;
  put_text(record, path);
  return record;
}

std::size_t upper_path_length(std::string_view four_bytes) {
  const std::size_t length = OctetReader(four_bytes).number<std::uint32_t>();
  if (length > k_max_upper_path) {
    throw Error(ErrorCode::protocol, "a path of {} bytes is above the limit", length);
  }
  return length;
}

std::string encode_upper_file(const UpperFile& file) {
  if (!file.is_there) {
    return {static_cast<char>(Tag::gone)};
  }
  std::string record{static_cast<char>(Tag::file)};
  put_number(record, file.inode);
  put_number(record, file.size);
  put_number(record, file.ctime_ns);
  return record;
}

std::string encode_upper_data(std::string_view bytes) {
  std::string record{static_cast<char>(Tag::data)};
  put_text(record, bytes);
  return record;
}

std::string encode_upper_hole(std::uint64_t length) {
  std::string record{static_cast<char>(Tag::hole)};
  put_number(record, length);
  return record;
}

std::string encode_upper_end(UpperChanged changed) {
  return {static_cast<char>(Tag::end), static_cast<char>(changed)};
}

void UpperContentDecoder::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (m_piece_left > 0) {
      const auto piece = bytes.substr(0, m_piece_left);
      bytes.remove_prefix(piece.size());
      m_piece_left -= piece.size();
      m_sink.data(piece);
      continue;
    }
    if (m_head.empty()) {
      m_head += bytes.front();
      bytes.remove_prefix(1);
    }
    const auto wanted = head_size(m_head.front());
    const auto more = bytes.substr(0, wanted - m_head.size());
    m_head += more;
    bytes.remove_prefix(more.size());
    if (m_head.size() == wanted) {
      take_head();
      m_head.clear();
    }
  }
}

void UpperContentDecoder::count(std::uint64_t length) {
  if (!m_in_file || length == 0 || length > m_left) {
    throw Error(ErrorCode::protocol, "content of the writable layer: more than was announced");
  }
  m_left -= length;
}

void UpperContentDecoder::take_file(std::string_view fields) {
  OctetReader reader(fields);
  UpperFile file;
  file.is_there = true;
  file.inode = reader.number<std::uint64_t>();
  file.size = reader.number<std::uint64_t>();
  file.ctime_ns = reader.number<std::int64_t>();
  if (file.size > std::numeric_limits<std::int64_t>::max()) {
    throw Error(ErrorCode::protocol, "content of the writable layer: a size that cannot be");
  }
  m_in_file = true;
  m_left = file.size;
  m_sink.file(file);
}

void UpperContentDecoder::take_head() {
  const auto tag = static_cast<Tag>(m_head.front());
  const auto fields = std::string_view(m_head).substr(1);
  if (m_in_file == (tag == Tag::file || tag == Tag::gone)) {
    throw Error(ErrorCode::protocol, "content of the writable layer: a record out of order");
  }
  OctetReader reader(fields);
  if (tag == Tag::file) {
    take_file(fields);
  } else if (tag == Tag::gone) {
    m_sink.file({});
  } else if (tag == Tag::data) {
    const auto length = reader.number<std::uint32_t>();
    if (length > k_max_upper_piece) {
      throw Error(ErrorCode::protocol, "content of the writable layer: a piece above the limit");
    }
    count(length);
    m_piece_left = length;
  } else if (tag == Tag::hole) {
    const auto length = reader.number<std::uint64_t>();
    count(length);
    m_sink.hole(length);
  } else {
    const auto changed = reader.number<std::uint8_t>();
    if (changed > 1 || (changed == 0 && m_left > 0)) {
      throw Error(ErrorCode::protocol, "content of the writable layer: less than was announced");
    }
    m_in_file = false;
    m_sink.end(static_cast<UpperChanged>(changed));
  }
}

} // namespace pyro::protocol
