#include "sftp.hpp"

#include "sftp_session.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <sys/prctl.h>

#include <cstdio>
#include <unistd.h>

namespace pyro::agent {

namespace {

/// False: the end of input, before the first byte.
bool read_whole(char* to, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const auto count = os::read_some(STDIN_FILENO, {to + done, size - done}).value_or(0);
    if (count == 0 && done == 0) {
      return false;
    }
    if (count == 0) {
      throw Error(ErrorCode::protocol, "the input ends within a packet");
    }
    done += count;
  }
  return true;
}

} // namespace

int serve_sftp() {
  ::prctl(PR_SET_NAME, "pyro-sftp", 0, 0, 0);
  try {
    SftpSession session;
    std::string packet(4, '\0');
    while (read_whole(packet.data(), 4)) {
      const auto size = protocol::OctetReader(packet).number<std::uint32_t>();
      if (size == 0 || size > k_sftp_packet) {
        throw Error(ErrorCode::protocol, "a packet of {} bytes", size);
      }
      packet.resize(size);
      if (!read_whole(packet.data(), size)) {
        throw Error(ErrorCode::protocol, "the input ends within a packet");
      }
      os::write_all(STDOUT_FILENO, session.answer(packet));
      packet.resize(4);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sftp: %s\n", error.what());
    return 1;
  }
}

} // namespace pyro::agent
