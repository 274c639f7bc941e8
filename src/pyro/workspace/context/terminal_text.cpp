#include "terminal_text.hpp"

#include <algorithm>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_incomplete = 0; // as a length: the rest has not come yet

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_between(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

/// Bytes of the character at the beginning; 1 for what is none.
std::size_t character_length(std::string_view bytes) {
  const auto lead = byte_at(bytes, 0);
  const std::size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == bytes.size()) {
      return k_incomplete;
    }
    if (!is_between(byte_at(bytes, i), 0x80, 0xbf)) {
      return 1;
    }
  }
  return length;
}

/// CSI: parameters and intermediates up to the letter that ends it, or to what cannot be part of it.
std::size_t control_length(std::string_view bytes, std::size_t at) {
  for (; at < bytes.size(); ++at) {
    const auto byte = byte_at(bytes, at);
    if (is_between(byte, 0x40, 0x7e)) {
      return at + 1;
    }
    if (!is_between(byte, 0x20, 0x3f)) {
      return at;
    }
  }
  return k_incomplete;
}

/// OSC, DCS and the like: a text up to BEL or ST; ESC with anything else, CAN and SUB break it off.
std::size_t string_length(std::string_view bytes, std::size_t at) {
  for (; at < bytes.size(); ++at) {
    const auto byte = byte_at(bytes, at);
    if (byte == 0x07 || byte == 0x18 || byte == 0x1a) {
      return at + 1;
    }
    if (byte == 0x1b) {
      if (at + 1 == bytes.size()) {
        return k_incomplete;
      }
      return bytes[at + 1] == '\\' ? at + 2 : at;
    }
  }
  return k_incomplete;
}

/// Bytes of the sequence that ESC at the beginning starts.
std::size_t sequence_length(std::string_view bytes) {
  if (bytes.size() < 2) {
    return k_incomplete;
  }
  const auto kind = byte_at(bytes, 1);
  if (kind == '[') {
    return control_length(bytes, 2);
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    return string_length(bytes, 2);
  }
  std::size_t at = 1;
  while (at < bytes.size() && is_between(byte_at(bytes, at), 0x20, 0x2f)) {
    ++at;
  }
  if (at == bytes.size()) {
    return k_incomplete;
  }
  return is_between(byte_at(bytes, at), 0x30, 0x7e) ? at + 1 : at;
}

class Reader {
public:
  Reader(std::string_view bytes, const TextWanted& wanted)
      : m_bytes(bytes), m_wanted(wanted), m_secret(wanted.secrets.begin()) {}

  TerminalText read() {
    while (m_at < m_bytes.size()) {
      if (m_chars >= m_wanted.max_chars) {
        m_result.is_full = true;
        break;
      }
      const auto length = take_secret() ? m_taken : take_one(m_bytes.substr(m_at));
      if (length == k_incomplete && !m_wanted.is_end && m_bytes.size() - m_at <= k_max_sequence) {
        break;
      }
      m_at += std::max<std::size_t>(length, 1);
    }
    m_result.consumed = m_at;
    return std::move(m_result);
  }

private:
  bool take_secret() {
    while (m_secret != m_wanted.secrets.end() && m_secret->at + m_secret->length <= m_at) {
      ++m_secret;
    }
    if (m_secret == m_wanted.secrets.end() || m_secret->at > m_at) {
      return false;
    }
    if (m_secret->at == m_at) {
      show(m_secret->shown, m_secret->shown.size());
    }
    m_taken = m_secret->at + m_secret->length - m_at;
    return true;
  }

  std::size_t take_one(std::string_view rest) {
    const auto first = byte_at(rest, 0);
    if (m_wanted.plain && (first < 0x20 || first == 0x7f)) {
      return take_control(rest);
    }
    const auto length = character_length(rest);
    if (length == k_incomplete) {
      if (m_wanted.is_end) {
        show(rest.substr(0, 1), 1);
      }
      return k_incomplete;
    }
    if (m_wanted.plain && length == 2 && first == 0xc2 && byte_at(rest, 1) < 0xa0) {
      return take_c1(rest);
    }
    show(rest.substr(0, length), 1);
    return length;
  }

  std::size_t take_control(std::string_view rest) {
    switch (rest[0]) {
    case '\x1b':
      return sequence_length(rest);
    case '\r':
      return take_return(rest);
    case '\b':
      take_back();
      return 1;
    case '\t':
    case '\n':
      show(rest.substr(0, 1), 1);
      return 1;
    default:
      return 1;
    }
  }

  /// The same as ESC and a letter, as one character.
  static std::size_t take_c1(std::string_view rest) {
    const auto kind = byte_at(rest, 1);
    if (kind == 0x9b) {
      return control_length(rest, 2);
    }
    const bool is_string = kind == 0x9d || kind == 0x90 || kind == 0x98 || kind == 0x9e || kind == 0x9f;
    return is_string ? string_length(rest, 2) : 2;
  }

  std::size_t take_return(std::string_view rest) {
    const auto end = rest.find_first_not_of('\r');
    if (end == std::string_view::npos && !m_wanted.is_end) {
      return k_incomplete;
    }
    const auto length = std::min(end, rest.size());
    const bool line_is_empty = m_result.text.empty() || m_result.text.back() == '\n';
    if (!line_is_empty && (length == rest.size() || rest[length] != '\n')) {
      show("\n", 1);
    }
    return length;
  }

  void take_back() {
    auto& text = m_result.text;
    if (text.empty() || text.back() == '\n') {
      return;
    }
    while (text.size() > 1 && is_between(byte_at(text, text.size() - 1), 0x80, 0xbf)) {
      text.pop_back();
    }
    text.pop_back();
    --m_chars;
  }

  void show(std::string_view text, std::size_t chars) {
    m_result.text += text;
    m_chars += chars;
  }

  std::string_view m_bytes;
  const TextWanted& m_wanted;
  std::vector<Redactor::Span>::const_iterator m_secret;
  TerminalText m_result;
  std::size_t m_at = 0;
  std::size_t m_taken = 0;
  std::size_t m_chars = 0;
};

} // namespace

TerminalText text_of_terminal(std::string_view bytes, const TextWanted& wanted) {
  return Reader(bytes, wanted).read();
}

} // namespace pyro::workspace
