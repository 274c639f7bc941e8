#include "patient_write.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace pyro::os {

void write_patiently(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{fd, POLLOUT, 0};
      ::poll(&waiting, 1, 1000);
      continue;
    }
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EPIPE) {
      throw OutputClosed{};
    }
    if (count < 0) {
      const int error = errno;
      throw Error::from_errno(error, "write the output");
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

} // namespace pyro::os
