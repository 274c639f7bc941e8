#include "output_capture.hpp"

#include <pyro/base/error.hpp>

#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::operations {

namespace {

std::pair<int, int> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "pipe");
  }
  return {ends[0], ends[1]};
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const int error = errno;
      throw Error::from_errno(error, "write the input");
    }
  }
}

} // namespace

void Descriptor::reset() {
  if (m_fd >= 0) {
    ::close(m_fd);
    m_fd = -1;
  }
}

OutputCapture::OutputCapture(std::size_t limit, std::function<void(std::string_view)> tell)
    : OutputCapture(limit, std::move(tell), make_pipe()) {
}

OutputCapture::OutputCapture(
    std::size_t limit, std::function<void(std::string_view)> tell, std::pair<int, int> pipe)
    : m_text(limit), m_tell(std::move(tell)), m_read(pipe.first), m_write(pipe.second) {
  // Signals belong to the thread that called; the reader inherits a full mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  m_reader = std::thread([this] { read_loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

OutputCapture::~OutputCapture() {
  finish();
}

void OutputCapture::finish() {
  m_write.reset();
  if (m_reader.joinable()) {
    m_reader.join();
  }
}

void OutputCapture::read_loop() {
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = ::read(m_read.get(), buffer.data(), buffer.size());
    const bool is_over = count == 0 || (count < 0 && errno != EINTR);
    const std::string_view piece(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    m_text.add(piece);
    if (m_tell && (is_over || !piece.empty())) {
      m_tell(piece);
    }
    if (is_over) {
      return;
    }
  }
}

Descriptor text_as_input(const std::string& text) {
  if (text.empty()) {
    return Descriptor();
  }
  Descriptor file(memfd_create("pyro-stdin", MFD_CLOEXEC));
  if (!file.valid()) {
    const int error = errno;
    throw Error::from_errno(error, "memfd_create");
  }
  write_all(file.get(), text);
  if (lseek(file.get(), 0, SEEK_SET) < 0) {
    const int error = errno;
    throw Error::from_errno(error, "seek in memory");
  }
  return file;
}

} // namespace pyro::operations
