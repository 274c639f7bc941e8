// A client as static programs are that bring their own resolver (Go, musl): it asks the name server of
// /etc/resolv.conf for both families over UDP, and connects without waiting, IPv6 first. HOST PORT; prints
// how many addresses there are of each family, and the first line of the answer to GET /.
#include <sys/socket.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::uint16_t k_a = 1;
constexpr std::uint16_t k_aaaa = 28;
constexpr int k_patience_ms = 10'000;

std::string name_server() {
  std::ifstream file("/etc/resolv.conf");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("nameserver ", 0) == 0) {
      return line.substr(11);
    }
  }
  return "";
}

std::string question(const std::string& host, std::uint16_t type) {
  std::string message{"\x12\x34\x01\0\0\1\0\0\0\0\0\0", 12};
  std::stringstream labels(host);
  std::string label;
  while (std::getline(labels, label, '.')) {
    message += static_cast<char>(label.size());
    message += label;
  }
  message += '\0';
  for (const int octet : {type >> 8, type & 0xff, 0, 1}) {
    message += static_cast<char>(octet);
  }
  return message;
}

bool wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, k_patience_ms) == 1;
}

/// The addresses of one family, as bytes.
std::vector<std::string> resolve(const std::string& host, std::uint16_t type) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(53);
  ::inet_pton(AF_INET, name_server().c_str(), &server.sin_addr);
  const auto asked = question(host, type);
  ::sendto(fd, asked.data(), asked.size(), 0, reinterpret_cast<const sockaddr*>(&server), sizeof server);
  std::array<unsigned char, 1500> answer{};
  const auto size = wait_for(fd, POLLIN) ? ::recv(fd, answer.data(), answer.size(), 0) : -1;
  ::close(fd);
  std::vector<std::string> found;
  if (size < static_cast<ssize_t>(asked.size())) {
    return found;
  }
  const std::size_t length = type == k_a ? 4 : 16;
  auto at = asked.size();
  for (int count = answer[6] << 8 | answer[7]; count > 0; --count) {
    at += 2 + 8; // a pointer to the name; type, class, time to live
    if (at + 2 + length > static_cast<std::size_t>(size)) {
      break;
    }
    found.emplace_back(reinterpret_cast<const char*>(&answer[at + 2]), length);
    at += 2 + length;
  }
  return found;
}

int connect_to(const std::string& address, std::uint16_t port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_in);
  if (address.size() == 4) {
    auto& four = reinterpret_cast<sockaddr_in&>(storage);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, address.data(), 4);
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&six.sin6_addr, address.data(), 16);
    size = sizeof six;
  }
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0) {
    return fd;
  }
  int error = errno;
  socklen_t error_size = sizeof error;
  if (error == EINPROGRESS && wait_for(fd, POLLOUT)) {
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
  }
  if (error == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 64;
  }
  const std::string host = argv[1];
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  auto addresses = resolve(host, k_aaaa);
  const auto fours = resolve(host, k_a);
  std::printf("%zu of IPv6, %zu of IPv4\n", addresses.size(), fours.size());
  addresses.insert(addresses.end(), fours.begin(), fours.end());
  for (const auto& address : addresses) {
    const int fd = connect_to(address, port);
    if (fd < 0) {
      continue;
    }
    const auto request = "GET / HTTP/1.1\r\nHost: " + host + ":" + argv[2] + "\r\nConnection: close\r\n\r\n";
    std::array<char, 12> answer{};
    if (!wait_for(fd, POLLOUT) || ::send(fd, request.data(), request.size(), 0) < 0
        || !wait_for(fd, POLLIN)) {
      return 1;
    }
    const auto size = ::recv(fd, answer.data(), answer.size(), 0);
    std::printf("%.*s\n", static_cast<int>(size), answer.data());
    return 0;
  }
  return 1;
}
