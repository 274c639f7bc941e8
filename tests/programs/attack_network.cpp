// D. Inter-process communication with the host, and the network. Arguments: KIND of network (none or all),
// TCP port that a process of the host listens on, name of its abstract socket, key of its shared memory,
// paths of sockets.
#include "attack.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace {

/// -1 with errno, or 0. Gives up after two seconds (ETIMEDOUT).
int connect_to(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0) {
    return -1;
  }
  int result = ::connect(made, reinterpret_cast<sockaddr*>(&to), sizeof to);
  if (result != 0 && errno == EINPROGRESS) {
    pollfd wait{made, POLLOUT, 0};
    int code = ETIMEDOUT;
    socklen_t size = sizeof code;
    if (::poll(&wait, 1, 2000) == 1) {
      ::getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &size);
    }
    errno = code;
    result = code == 0 ? 0 : -1;
  }
  const int keep = errno;
  ::close(made);
  errno = keep;
  return result;
}

const std::initializer_list<int> k_unreachable{ENETUNREACH, EHOSTUNREACH, ECONNREFUSED,  EPERM,
                                               EACCES,      ENETDOWN,     EADDRNOTAVAIL, ETIMEDOUT};

void unix_sockets(const std::string& abstract_name, char** paths, int count) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path + 1, abstract_name.data(), abstract_name.size());
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + abstract_name.size());
  attack::refused(
      "unix.abstract_of_host", ::connect(made, reinterpret_cast<sockaddr*>(&to), length),
      {ECONNREFUSED, EPERM, EACCES});
  ::close(made);
  for (int i = 0; i < count; ++i) {
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::strncpy(path.sun_path, paths[i], sizeof path.sun_path - 1);
    const int other = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    attack::refused(
        "unix.path_" + std::to_string(i + 1),
        ::connect(other, reinterpret_cast<sockaddr*>(&path), sizeof path),
        {ENOENT, EACCES, EPERM, ECONNREFUSED, ENOTDIR});
    ::close(other);
  }
  for (const char* path :
       {"/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket",
        "/tmp/.X11-unix/X0", "/run/systemd/private", "/run/containerd/containerd.sock"}) {
    attack::refused(std::string("unix.") + path, ::access(path, F_OK), {ENOENT, EACCES, ENOTDIR});
  }
}

void shared_memory(int key) {
  attack::refused("sysv.shm_of_host", ::shmget(key, 0, 0), {ENOENT, EACCES, EPERM, ENOSYS});
  attack::refused("posix.mq_of_host", ::mq_open("/pyro-canary", O_RDWR), {ENOENT, EACCES, EPERM, ENOSYS});
  attack::refused(
      "posix.shm_of_host", ::open("/dev/shm/pyro-canary", O_RDWR | O_CLOEXEC), {ENOENT, EACCES, EPERM});
}

void interfaces(bool none) {
  std::ifstream in("/proc/self/net/dev");
  std::string others;
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) {
      auto name = line.substr(0, colon);
      name.erase(0, name.find_first_not_of(' '));
      others += name == "lo" ? "" : name + " ";
    }
  }
  if (none) {
    attack::holds(
        "net.interfaces", others.find_first_not_of(' ') == std::string::npos,
        others.empty() ? "only lo" : others);
  }
  // Changing the network needs a capability that is not held.
  const int made = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = 0;
  attack::refused("net.lo_down", ::ioctl(made, SIOCSIFFLAGS, &request), {EPERM, EACCES});
  ::close(made);

  struct {
    nlmsghdr header;
    ifinfomsg info;
  } message{};

  message.header = {sizeof message, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1, 0};
  const int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) {
    attack::refused("net.new_link", netlink, {EPERM, EACCES, EAFNOSUPPORT});
    return;
  }

  struct {
    nlmsghdr header;
    nlmsgerr error;
    char more[512];
  } answer{};

  if (::send(netlink, &message, sizeof message, 0) < 0 || ::recv(netlink, &answer, sizeof answer, 0) < 0) {
    attack::refused("net.new_link", -1, {EPERM, EACCES});
  } else {
    errno = -answer.error.error;
    attack::refused("net.new_link", answer.error.error == 0 ? 0 : -1, {EPERM, EACCES});
  }
  ::close(netlink);
}

std::string gateway() {
  std::ifstream in("/proc/self/net/route");
  std::string name, to, by;
  std::getline(in, name);
  while (in >> name >> to >> by) {
    if (to == "00000000") {
      const auto raw = static_cast<std::uint32_t>(std::stoul(by, nullptr, 16));
      char text[INET_ADDRSTRLEN] = {};
      in_addr address{raw};
      ::inet_ntop(AF_INET, &address, text, sizeof text);
      return text;
    }
    std::getline(in, name);
  }
  return "";
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: attack_network none|all PORT ABSTRACT KEY [PATH…]\n");
    return 64;
  }
  const bool none = std::string(argv[1]) == "none";
  const int port = std::atoi(argv[2]);
  attack::refused("net.host_loopback", connect_to("127.0.0.1", port), k_unreachable);
  attack::refused("net.host_loopback_alias", connect_to("127.0.0.2", port), k_unreachable);
  // EINVAL is what a blackhole route answers, ECONNREFUSED the sandbox itself where the address leads there.
  attack::refused(
      "net.metadata", connect_to("169.254.169.254", 80),
      {EINVAL, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EPERM, EACCES, ENETDOWN});
  if (none) {
    attack::refused(
        "net.outside", connect_to("192.0.2.1", 80), {ENETUNREACH, EHOSTUNREACH, EPERM, EACCES, ENETDOWN});
  } else if (const auto way = gateway(); !way.empty()) {
    // Helpers like pasta by default let the gateway's address mean the host's own loopback.
    attack::refused("net.host_by_gateway", connect_to(way, port), k_unreachable);
  } else {
    attack::missing("net.host_by_gateway", "no default route");
  }
  interfaces(none);
  unix_sockets(argv[3], argv + 5, argc - 5);
  shared_memory(std::atoi(argv[4]));
  return attack::done();
}
