#include "resolver.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>

namespace pyro::testing {

Resolver::Resolver()
    : m_socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), m_stop(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(53);
  at.sin_addr.s_addr = htonl(0x7f000035);
  if (::bind(m_socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
    throw std::runtime_error("cannot serve at 127.0.0.53");
  }
  m_thread = std::thread([this] { serve(); });
}

Resolver::~Resolver() {
  ::eventfd_write(m_stop.get(), 1);
  m_thread.join();
}

void Resolver::serve() {
  while (true) {
    std::array<pollfd, 2> wait{pollfd{m_socket.get(), POLLIN, 0}, pollfd{m_stop.get(), POLLIN, 0}};
    if (::poll(wait.data(), wait.size(), -1) < 0 || wait[1].revents != 0) {
      return;
    }
    std::array<char, 512> buffer{};
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    const auto count = ::recvfrom(
        m_socket.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 17) {
      continue;
    }
    // The question ends with a zero label, type and class; what follows (EDNS) is left out of the answer.
    std::size_t end = 12;
    while (end < static_cast<std::size_t>(count) && buffer[end] != 0) {
      end += static_cast<unsigned char>(buffer[end]) + 1;
    }
    const bool wants_ipv4 = buffer[end + 2] == 1;
    std::string answer(buffer.data(), end + 5);
    answer[2] = static_cast<char>(0x84);
    answer[3] = static_cast<char>(0x80);
    answer.replace(6, 6, std::string{0, static_cast<char>(wants_ipv4 ? 1 : 0), 0, 0, 0, 0});
    if (wants_ipv4) {
      answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x4d", 16); // 198.51.100.77
    }
    ::sendto(m_socket.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
}

} // namespace pyro::testing
