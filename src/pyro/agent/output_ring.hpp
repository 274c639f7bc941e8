// The newest bytes of a stream, each with its position since the beginning: readers remember a position and
// learn when what they wanted has been dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pyro::agent {

class OutputRing {
public:
  explicit OutputRing(std::size_t capacity) : m_capacity(capacity) {}

  void append(std::string_view bytes);

  /// Position of the oldest byte that is kept, and the one behind the newest.
  std::uint64_t first() const { return m_first; }

  std::uint64_t end() const { return m_first + size(); }

  /// At most `most` bytes from `position` on (first() where that is older). Valid until the next append.
  std::string_view view(std::uint64_t position, std::size_t most) const;

private:
  std::size_t size() const { return m_bytes.size() - m_start; }

  std::size_t m_capacity;
  std::string m_bytes; // those before m_start are dropped already; they leave when they are many
  std::size_t m_start = 0;
  std::uint64_t m_first = 0;
};

} // namespace pyro::agent
