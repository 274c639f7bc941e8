// Output of unknown length kept in bounded memory: its beginning and its end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pyro {

class BoundedText {
public:
  /// Keeps about `limit` bytes, half of them from the beginning.
  explicit BoundedText(std::size_t limit) : m_half(limit / 2 + 1) {}

  void add(std::string_view bytes);

  /// Beginning and end, with "[… N bytes left out …]" between where there was more.
  std::string text() const;

  bool truncated() const { return m_left_out > 0; }

  /// Bytes of the beginning: where what text() leaves out begins.
  std::size_t beginning() const { return m_begin.size(); }

private:
  std::size_t m_half;
  std::string m_begin;
  std::string m_end;
  std::size_t m_left_out = 0;
};

} // namespace pyro
