// A descriptor to write to whose text is kept in memory, bounded: the beginning and the end of more than
// `limit` bytes. A thread reads, so that a writer that blocks until it is done cannot stall.
#pragma once

#include <pyro/os/fd.hpp>

#include <string>
#include <thread>

namespace pyro::operations {

class OutputCapture {
public:
  explicit OutputCapture(std::size_t limit);
  ~OutputCapture();
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;

  int descriptor() const { return m_pipe.write_end.get(); }

  /// Closes the descriptor and waits for what is still in the pipe. Once; then ask for text().
  void finish();
  /// Beginning and end, with "[… N bytes left out …]" between where there was more.
  std::string text() const;

  bool truncated() const { return m_left_out > 0; }

private:
  void read_loop();
  void keep(std::string_view bytes);

  std::size_t m_half;
  std::string m_begin;
  std::string m_end;
  std::size_t m_left_out = 0;
  os::Pipe m_pipe;
  std::thread m_reader;
};

/// A descriptor to read `text` from; not valid (-1: no input) for an empty one.
os::Fd text_as_input(const std::string& text);

} // namespace pyro::operations
