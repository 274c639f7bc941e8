#include "random.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

#include <sys/random.h>

#include <cerrno>

namespace pyro::os {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const auto got = ::getrandom(bytes.data() + filled, count - filled, 0);
    if (got < 0 && errno != EINTR) {
      throw Error::from_errno(errno, "getrandom");
    }
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return bytes;
}

std::string random_hex(std::size_t bytes) {
  const auto raw = random_bytes(bytes);
  return to_hex(std::as_bytes(std::span(raw)));
}

} // namespace pyro::os
