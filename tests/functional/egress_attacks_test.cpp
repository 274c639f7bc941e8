// A sandbox with `egress: all` reaches the world, but this machine by none of its addresses. The oracle is a
// service of the host that listens on all of them and counts.
#include "../support/home.hpp"
#include "../support/resolver.hpp"

#include <pyro/os/fd.hpp>

#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// TCP and UDP on every address of this network namespace, IPv4 and IPv6.
class Listeners {
public:
  Listeners() {
    sockaddr_in6 all{};
    all.sin6_family = AF_INET6;
    m_tcp = make(SOCK_STREAM, all);
    socklen_t size = sizeof(all);
    ::getsockname(m_tcp.get(), reinterpret_cast<sockaddr*>(&all), &size);
    ::listen(m_tcp.get(), 100);
    m_udp = make(SOCK_DGRAM, all);
    m_port = ntohs(all.sin6_port);
    m_thread = std::thread([this] { count(); });
  }

  ~Listeners() {
    ::eventfd_write(m_stop.get(), 1);
    m_thread.join();
  }

  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  int port() const { return m_port; }

  int count_of_visits() const { return m_visits; }

private:
  static os::Fd make(int type, const sockaddr_in6& address) {
    os::Fd made(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
    const int off = 0;
    ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot listen on all addresses");
    }
    return made;
  }

  void count() {
    while (true) {
      std::array<pollfd, 3> wait{
          pollfd{m_tcp.get(), POLLIN, 0}, pollfd{m_udp.get(), POLLIN, 0}, pollfd{m_stop.get(), POLLIN, 0}};
      if (::poll(wait.data(), wait.size(), -1) < 0 || wait[2].revents != 0) {
        return;
      }
      std::array<char, 64> nothing{};
      if (wait[0].revents != 0) {
        os::Fd(::accept4(m_tcp.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
        ++m_visits;
      }
      if (wait[1].revents != 0 && ::recv(m_udp.get(), nothing.data(), nothing.size(), 0) >= 0) {
        ++m_visits;
      }
    }
  }

  os::Fd m_tcp;
  os::Fd m_udp;
  os::Fd m_stop{::eventfd(0, EFD_CLOEXEC)};
  int m_port = 0;
  std::atomic<int> m_visits{0};
  std::thread m_thread;
};

/// "192.0.2.2", "fe80::1%eth0", of every device.
std::set<std::string> own_addresses() {
  std::set<std::string> addresses;
  ifaddrs* list = nullptr;
  ::getifaddrs(&list);
  for (const auto* one = list; one != nullptr; one = one->ifa_next) {
    const int family = one->ifa_addr != nullptr ? one->ifa_addr->sa_family : AF_UNSPEC;
    if (family == AF_INET || family == AF_INET6) {
      std::array<char, NI_MAXHOST> text{};
      const auto size =
          static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      ::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
      addresses.insert(text.data());
    }
  }
  ::freeifaddrs(list);
  return addresses;
}

class EgressAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    if (!fs::exists("/usr/bin/pasta")) {
      GTEST_SKIP() << "pasta is not installed";
    }
    spec("network: {egress: all}\n");
    fs::copy_file(binary_dir() / "bin/attacks/attack_addresses", project() / "attack_addresses");
  }

  void TearDown() override {
    Functional::TearDown();
    for (const auto& [kind, before] : m_before) {
      EXPECT_EQ(::setns(before.get(), kind), 0);
    }
  }

  /// From here on this process and its children have a machine's network of their own, with a second address,
  /// some on lo, and a resolv.conf.
  void make_own_network(const std::string& resolv_conf) {
    for (const auto& [kind, path] :
         {std::pair{CLONE_NEWNET, "/proc/self/ns/net"}, std::pair{CLONE_NEWNS, "/proc/self/ns/mnt"}}) {
      m_before.emplace_back(kind, os::open_file(path, O_RDONLY));
    }
    ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", "", MS_REC | MS_PRIVATE, ""), 0);
    write_file(root() / "resolv.conf", resolv_conf);
    ASSERT_EQ(::mount((root() / "resolv.conf").c_str(), "/etc/resolv.conf", "", MS_BIND, ""), 0);
    const auto made = command(
        {"sh", "-ec",
         "ip link set lo up; ip link add up0 type veth peer name down0; ip link set up0 up; ip link set "
         "down0 up; "
         "ip addr add 10.9.0.2/24 dev up0; ip addr add 10.9.0.3/24 dev up0; "
         "ip addr add fd09::2/64 dev up0 nodad; ip addr add fd09::3/64 dev up0 nodad; "
         "ip route add default via 10.9.0.1 dev up0; ip -6 route add default via fd09::1 dev up0; "
         "ip addr add 10.77.0.1/32 dev lo; ip addr add fd77::1/128 dev lo"});
    ASSERT_EQ(made.status, 0) << made;
  }

  void attack(const Listeners& listeners, const std::set<std::string>& addresses) {
    Arguments argv{"exec", "--", "./attack_addresses", std::to_string(listeners.port())};
    argv.insert(argv.end(), addresses.begin(), addresses.end());
    const auto result = pyro(argv);
    EXPECT_EQ(result.status, 0) << result;
    EXPECT_NE(result.out.find("done: 0 succeeded"), std::string::npos) << result;
    EXPECT_EQ(result.out.find(": missing "), std::string::npos) << result;
    std::printf("%s", result.out.c_str());
  }

private:
  std::vector<std::pair<int, os::Fd>> m_before; // namespaces
};

TEST_F(EgressAttacks, NoAddressOfThisMachineIsReached) {
  const Listeners listeners;
  expect(0, {"apply"});
  auto addresses = own_addresses();
  addresses.insert({"127.0.0.2", "0.0.0.0", "::", "::ffff:127.0.0.1"});
  attack(listeners, addresses);
  EXPECT_EQ(listeners.count_of_visits(), 0) << "something inside reached a service of the host";
}

TEST_F(EgressAttacks, NeitherOfOtherDevicesNorAddedLater) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root for a network of its own";
  }
  make_own_network("nameserver 198.51.100.7\n");
  const Listeners listeners;
  expect(0, {"apply"});
  attack(listeners, own_addresses());
  ASSERT_EQ(
      command({"sh", "-ec", "ip addr add 10.77.0.9/32 dev lo; ip addr add fd77::9/128 dev up0 nodad"}).status,
      0);
  // Followed by whoever keeps the way out: inside the routes appear.
  ASSERT_TRUE(eventually([&] {
    return inside("grep -q 10.77.0.9 /proc/net/fib_trie && grep -q ^fd770000000000000000000000000009 "
                  "/proc/net/ipv6_route")
               .status
           == 0;
  })) << inside("cat /proc/net/fib_trie /proc/net/ipv6_route");
  attack(listeners, {"10.77.0.9", "fd77::9"});
  EXPECT_EQ(listeners.count_of_visits(), 0) << "something inside reached a service of the host";
}

TEST_F(EgressAttacks, TheMachinesOwnResolverAnswersAllTheSame) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root for a network of its own";
  }
  make_own_network("nameserver 127.0.0.53\noptions timeout:5 attempts:1\n");
  const Resolver resolver;
  const Listeners listeners;
  expect(0, {"apply"});
  EXPECT_EQ(inside("grep ^nameserver /etc/resolv.conf").out, "nameserver 198.51.100.53\n");
  const auto found = inside("getent ahostsv4 host.pyro.test");
  EXPECT_EQ(found.out.substr(0, found.out.find(' ')), "198.51.100.77") << found;
  attack(listeners, {"127.0.0.53", "198.51.100.53"});
  EXPECT_EQ(listeners.count_of_visits(), 0);
}

} // namespace
} // namespace pyro::testing
