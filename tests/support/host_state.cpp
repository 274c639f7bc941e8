#include "host_state.hpp"

#include <sys/eventfd.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace pyro::testing {

namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Mounts of this process, without those of tests that run beside us.
std::string mounts() {
  std::string result;
  std::istringstream in(content_of("/proc/self/mountinfo"));
  for (std::string line; std::getline(in, line);) {
    if (line.find("/pyro-test-") == std::string::npos) {
      std::istringstream words(line);
      std::string number, parent, device, root, point, options;
      words >> number >> parent >> device >> root >> point >> options;
      result += point + " " + options + "\n";
    }
  }
  return result;
}

int listen_on(int family, const void* address, socklen_t size) {
  const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0 || ::bind(made, static_cast<const sockaddr*>(address), size) != 0 || ::listen(made, 8) != 0) {
    throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
  }
  return made;
}

} // namespace

HostState HostState::now() {
  HostState state;
  for (const char* name :
       {"kernel/core_pattern", "kernel/modprobe", "kernel/panic", "kernel/hostname", "kernel/sysrq",
        "kernel/randomize_va_space", "fs/file-max", "net/ipv4/ip_forward", "vm/overcommit_memory",
        "user/max_user_namespaces"}) {
    state.m_facts[name] = content_of(std::string("/proc/sys/") + name);
  }
  state.m_facts["mounts"] = mounts();
  state.m_facts["loopback flags"] = content_of("/sys/class/net/lo/flags");
  for (const char* path :
       {"/etc/passwd", "/etc/hostname", "/usr/bin/env", "/bin/sh", "/dev/null", "/proc/self/exe"}) {
    struct stat info {};

    ::stat(path, &info);
    state.m_facts[path] = std::to_string(info.st_ino) + " " + std::to_string(info.st_mode) + " "
                          + std::to_string(info.st_size) + " "
                          + std::to_string(S_ISREG(info.st_mode) ? info.st_mtim.tv_nsec : 0);
  }
  return state;
}

std::string HostState::changes_since(const HostState& after) const {
  std::string text;
  for (const auto& [name, before] : m_facts) {
    const auto& now = after.m_facts.at(name);
    if (now != before) {
      text += name + ": " + before + " -> " + now + "; ";
    }
  }
  return text;
}

HostServices::HostServices(const std::filesystem::path& socket_path) : m_path(socket_path.string()) {
  sockaddr_in tcp{};
  tcp.sin_family = AF_INET;
  tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  m_tcp = listen_on(AF_INET, &tcp, sizeof tcp);
  socklen_t size = sizeof tcp;
  ::getsockname(m_tcp, reinterpret_cast<sockaddr*>(&tcp), &size);
  m_port = ntohs(tcp.sin_port);

  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  std::strncpy(path.sun_path, m_path.c_str(), sizeof path.sun_path - 1);
  m_by_path = listen_on(AF_UNIX, &path, sizeof path);

  m_abstract = "pyro-canary-" + std::to_string(::getpid());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path + 1, m_abstract.data(), m_abstract.size());
  m_by_name = listen_on(
      AF_UNIX, &name, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + m_abstract.size()));

  m_key = 0x70790000 + (::getpid() & 0xffff);
  m_segment = ::shmget(m_key, 4096, IPC_CREAT | 0666);
  m_stop = ::eventfd(0, EFD_CLOEXEC);
  m_thread = std::thread([this] {
    while (true) {
      pollfd wait[] = {
          {m_tcp, POLLIN, 0}, {m_by_path, POLLIN, 0}, {m_by_name, POLLIN, 0}, {m_stop, POLLIN, 0}};
      if (::poll(wait, 4, -1) < 0 || wait[3].revents != 0) {
        return;
      }
      for (int i = 0; i < 3; ++i) {
        if (wait[i].revents != 0) {
          ::close(::accept4(wait[i].fd, nullptr, nullptr, SOCK_CLOEXEC));
          ++m_connections;
        }
      }
    }
  });
}

HostServices::~HostServices() {
  ::eventfd_write(m_stop, 1);
  m_thread.join();
  for (const int one : {m_tcp, m_by_path, m_by_name, m_stop}) {
    ::close(one);
  }
  if (m_segment >= 0) {
    ::shmctl(m_segment, IPC_RMID, nullptr);
  }
  ::unlink(m_path.c_str());
}

} // namespace pyro::testing
