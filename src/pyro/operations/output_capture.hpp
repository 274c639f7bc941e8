// A descriptor to write to whose text is kept in memory, bounded: the beginning and the end of more than
// `limit` bytes. A thread reads, so that a writer that blocks until it is done cannot stall; who wants to
// know at once is told by that thread.
#pragma once

#include <pyro/base/bounded_text.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace pyro::operations {

/// Owner of a descriptor. Fronts and this folder do not see os/, and this is all they need of it.
class Descriptor {
public:
  explicit Descriptor(int fd = -1) : m_fd(fd) {}

  ~Descriptor() { reset(); }

  Descriptor(Descriptor&& other) noexcept : m_fd(other.m_fd) { other.m_fd = -1; }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return m_fd; }

  bool valid() const { return m_fd >= 0; }

  void reset();

private:
  int m_fd;
};

class OutputCapture {
public:
  /// `tell`: every piece of it, as it is read, and an empty one at the end.
  explicit OutputCapture(std::size_t limit, std::function<void(std::string_view)> tell = {});
  ~OutputCapture();
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;

  int descriptor() const { return m_write.get(); }

  /// Closes the descriptor and waits for what is still in the pipe. Once; then ask for text().
  void finish();

  std::string text() const { return m_text.text(); }

  bool truncated() const { return m_text.truncated(); }

  /// Bytes of text() before the place where some are left out.
  std::size_t beginning() const { return m_text.beginning(); }

private:
  OutputCapture(std::size_t limit, std::function<void(std::string_view)> tell, std::pair<int, int> pipe);
  void read_loop();

  BoundedText m_text;
  std::function<void(std::string_view)> m_tell;
  Descriptor m_read;
  Descriptor m_write;
  std::thread m_reader;
};

/// A descriptor to read `text` from; not valid (-1: no input) for an empty one.
Descriptor text_as_input(const std::string& text);

} // namespace pyro::operations
