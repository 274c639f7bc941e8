// Secrets taken out of text before anybody sees it: whole texts, and streams that come in pieces. Pure; where
// the values come from is the caller's business (workspace/context/secrets.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pyro {

/// Name and value; a name may come more than once, as a secret that was changed does.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// Knows values by name; each occurrence becomes "[redacted:NAME]". Of a value the text without the line ends
/// at its end is looked for, and of a value of several lines also every line of at least 8 bytes, since
/// terminals and logs take lines apart.
class Redactor {
public:
  /// Redacts nothing.
  Redactor() = default;
  explicit Redactor(const std::map<std::string, std::string>& values);
  explicit Redactor(const NamedValues& values);

  bool empty() const { return m_patterns.empty(); }

  std::string redact(std::string_view text) const;

  /// A value in a text, and what to show for it.
  struct Span {
    std::size_t at = 0;
    std::size_t length = 0;
    std::string shown;
  };

  struct Found {
    std::vector<Span> spans; // in order; they do not overlap
    std::size_t held = 0;    // bytes at the end that may be the beginning of a value
  };

  /// For callers that keep positions. With `is_end` nothing is held.
  Found find(std::string_view text, bool is_end) const;

  /// Bytes of the longest value.
  std::size_t longest() const { return m_patterns.empty() ? 0 : m_patterns.front().value.size(); }

private:
  friend class RedactedStream;

  struct Pattern {
    std::string value;
    std::string name;
  };

  /// The text with everything replaced; what may be the beginning of a value stays in `rest`, unless
  /// `is_end`.
  std::string take(std::string& rest, bool is_end) const;

  std::vector<Pattern> m_patterns; // longest first
  std::vector<bool> m_starts = std::vector<bool>(256);
};

/// One stream of bytes in pieces: a value that is split over pieces is found all the same. Bytes that may be
/// the beginning of a value are held back until the next piece or the end tells.
class RedactedStream {
public:
  explicit RedactedStream(const Redactor& redactor) : m_redactor(&redactor) {}

  /// What can be shown of everything so far.
  std::string add(std::string_view bytes);
  /// The rest; the stream may start anew.
  std::string finish();

private:
  const Redactor* m_redactor;
  std::string m_rest;
};

} // namespace pyro
