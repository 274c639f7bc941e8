#include "hostile_registry.hpp"

#include <pyro/base/sha256.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>

namespace pyro::testing {

namespace {

/// An address of either family as the kernel wants it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const std::string& address, int port) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof v4;
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof v6;
    } else {
      throw std::runtime_error(address + " is no address");
    }
  }

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

} // namespace

HostileRegistry::HostileRegistry(Handler handler, const std::string& address, int port)
    : m_handler(std::move(handler)) {
  SocketAddress at(address, port);
  m_listener = os::Fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int off = 0;
  if (at.storage.ss_family == AF_INET6) {
    ::setsockopt(m_listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(m_listener.get(), at.get(), at.size) != 0 || ::listen(m_listener.get(), 64) != 0
      || ::getsockname(m_listener.get(), at.get(), &at.size) != 0) {
    throw std::runtime_error("cannot listen on " + address);
  }
  m_port = ntohs(reinterpret_cast<sockaddr_in&>(at.storage).sin_port); // at the same place in both families
  m_address =
      (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(m_port);
  m_acceptor = std::thread([this] { accept_all(); });
}

HostileRegistry::~HostileRegistry() {
  m_stopped = true;
  m_acceptor.join();
  for (auto& server : m_servers) {
    server.join();
  }
}

int HostileRegistry::requests_with(const std::string& text) const {
  const std::lock_guard lock(m_mutex);
  return static_cast<int>(std::count_if(m_heads.begin(), m_heads.end(), [&](const std::string& head) {
    return head.find(text) != std::string::npos;
  }));
}

bool HostileRegistry::wait_for(int fd, short events) const {
  pollfd waiting{fd, events, 0};
  while (!m_stopped) {
    if (::poll(&waiting, 1, 100) > 0) {
      return true;
    }
  }
  return false;
}

void HostileRegistry::accept_all() {
  while (wait_for(m_listener.get(), POLLIN)) {
    const int socket = ::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
      ++m_connections;
      m_servers.emplace_back([this, socket] { serve(os::Fd(socket)); });
    }
  }
}

void HostileRegistry::serve(const os::Fd& socket) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    std::array<char, 4096> buffer{};
    if (!wait_for(socket.get(), POLLIN)) {
      return;
    }
    const auto count = ::read(socket.get(), buffer.data(), buffer.size());
    if (count <= 0 || request.size() > (64U << 10)) {
      return;
    }
    request.append(buffer.data(), static_cast<std::size_t>(count));
    if (request[0] == '\x16') { // TLS, which we do not speak
      send_all(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
  }
  {
    const std::lock_guard lock(m_mutex);
    m_heads.push_back(request);
  }
  ++m_requests;
  const bool is_head = request.starts_with("HEAD ");
  const auto begin = request.find(' ') + 1;
  const auto answer = m_handler(request.substr(begin, request.find(' ', begin) - begin), request);
  if (answer.is_silent) {
    std::ignore = wait_for(socket.get(), POLLIN);
    return;
  }
  auto text = "HTTP/1.1 " + answer.head + "\r\nConnection: close\r\n";
  text += answer.is_endless ? "\r\n" : "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
  bool goes_on = send_all(socket, is_head ? text : text + answer.body);
  while (answer.is_endless && goes_on && !is_head) {
    goes_on = send_all(socket, answer.body);
    std::this_thread::sleep_for(std::chrono::milliseconds(5)); // the disk of this machine is everybody's
  }
}

bool HostileRegistry::send_all(const os::Fd& socket, std::string_view text) const {
  while (!text.empty()) {
    if (!wait_for(socket.get(), POLLOUT)) {
      return false;
    }
    const auto count = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
      return false;
    }
    text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    m_sent += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return true;
}

std::string Image::descriptor(const std::string& digest, std::size_t size) {
  return R"({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": ")" + digest + R"(", "size": )"
         + std::to_string(size) + "}";
}

std::string Image::put(const std::string& bytes) {
  const auto digest = "sha256:" + sha256_of(bytes);
  blobs[digest] = bytes;
  return digest;
}

std::string Image::manifest_of(const std::string& config, const std::string& layers) {
  return R"({"schemaVersion": 2, "mediaType": ")" + std::string(k_manifest_type) + R"(", "config": )" + config
         + R"(, "layers": [)" + layers + "]}";
}

void Image::finish(const std::string& process) {
  const auto layer_digest = put(layer);
  config = R"({"os": "linux", "architecture": "amd64", "config": )" + process
           + R"(, "rootfs": {"type": "layers", "diff_ids": [")" + layer_digest + R"("]}})";
  manifest = manifest_of(descriptor(put(config), config.size()), descriptor(layer_digest, layer.size()));
}

std::string Image::config_part() const {
  return descriptor("sha256:" + sha256_of(config), config.size());
}

Answer Image::operator()(const std::string& path, const std::string& /*head*/) const {
  if (path.find("/manifests/") != std::string::npos) {
    return {"200 OK\r\nContent-Type: " + std::string(k_manifest_type), manifest};
  }
  if (const auto at = path.find("/blobs/"); at != std::string::npos) {
    const auto blob = blobs.find(path.substr(at + std::string_view("/blobs/").size()));
    return blob == blobs.end() ? Answer{"404 Not Found", "{}"} : Answer{"200 OK", blob->second};
  }
  return {"200 OK", "{}"};
}

} // namespace pyro::testing
