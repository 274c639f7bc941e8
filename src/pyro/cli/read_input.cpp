#include "read_input.hpp"

#include "interrupts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/output_capture.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::cli {

namespace {

void stop_where_interrupted() {
  if (interrupted()) {
    throw Error(ErrorCode::interrupted, "interrupted");
  }
}

} // namespace

std::string read_input(const std::string& path, std::size_t limit) {
  const bool is_file = !path.empty() && path != "-";
  const operations::Descriptor file(is_file ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1);
  if (is_file && !file.valid()) {
    const int number = errno;
    stop_where_interrupted(); // a FIFO that nobody writes to
    throw Error::from_errno(number, "open " + path).with_code(ErrorCode::input_missing);
  }
  const auto name = is_file ? path : "standard input";
  const int source = is_file ? file.get() : STDIN_FILENO;
  std::string text;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const auto count = ::read(source, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      stop_where_interrupted();
      continue;
    }
    if (count < 0) {
      const int number = errno;
      throw Error::from_errno(number, "read " + name);
    }
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) {
      throw Error(ErrorCode::invalid_argument, "{} is larger than the limit of {} bytes", name, limit);
    }
  }
}

} // namespace pyro::cli
