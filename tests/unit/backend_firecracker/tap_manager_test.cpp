// Real TAP devices, addresses and nftables rules, in a network namespace that goes with the test.
#include "own_network.hpp"

#include <pyro/backend/firecracker/tap_manager.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/network_link.hpp>
#include <pyro/os/tap_device.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <netinet/in.h>
#include <unistd.h>

namespace pyro::backend::firecracker {
namespace {

class Taps : public ::testing::Test {
protected:
  NetworkConfig config(const std::string& pool = "172.29.0.0/16") const {
    return {pool, m_directory.path() + "/taps", 64000, 64000};
  }

  std::vector<std::string> records() const {
    std::vector<std::string> names;
    for (const auto& name : os::list_directory(config().record_dir)) {
      if (name != "lock") {
        names.push_back(name);
      }
    }
    return names;
  }

  /// Every device but lo, every table, every record.
  std::string what_is_left() const {
    std::string left;
    for (const auto& link : os::network_links()) {
      left += link.name == "lo" ? "" : link.name + "\n";
    }
    for (const auto& name : records()) {
      left += name + "\n";
    }
    return left + shell("nft list tables");
  }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-taps"};
};

TEST_F(Taps, AreMadeAndRemoved) {
  in_own_network([&] {
    {
      const auto tap = TapManager(config()).make();
      EXPECT_EQ(tap.plan().tap, "pyro-t0");
      const auto link = os::find_network_link("pyro-t0");
      ASSERT_TRUE(link);
      EXPECT_TRUE(link->is_up);
      EXPECT_TRUE(link->alias.starts_with("pyro ")) << link->alias;
      EXPECT_NE(shell("ip -o -4 address show dev pyro-t0").find("172.29.0.1/30"), std::string::npos);
      EXPECT_NE(shell("ip -d link show dev pyro-t0").find("user 64000"), std::string::npos);
      EXPECT_NE(shell("nft list tables").find("table inet pyro-t0"), std::string::npos);
      EXPECT_EQ(records(), std::vector<std::string>{"pyro-t0.tap.json"});
      EXPECT_TRUE(os::forwards_ipv4("pyro-t0"));
    }
    EXPECT_EQ(what_is_left(), "");
  });
}

TEST_F(Taps, EachGuestHasItsOwnUntilThePoolIsUsedUp) {
  in_own_network([&] {
    const TapManager manager(config("172.29.0.0/29"));
    const auto first = manager.make();
    {
      const auto second = manager.make();
      EXPECT_EQ(second.plan().tap, "pyro-t1");
      try {
        std::ignore = manager.make();
        ADD_FAILURE() << "a third one";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unavailable);
      }
    }
    EXPECT_EQ(manager.make().plan().tap, "pyro-t1");
  });
}

/// A machine far away, in a network namespace of its own: says what it hears and from whom, and answers.
pid_t start_far_machine(const std::string& log) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::unshare(CLONE_NEWNET);
    ::execlp(
        "python3", "python3", "-c",
        "import socket, sys\n"
        "log = open(sys.argv[1], 'w', buffering=1)\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.bind(('0.0.0.0', 7))\n"
        "while True:\n"
        "    text, sender = s.recvfrom(100)\n"
        "    log.write('%s from %s\\n' % (text.decode(), sender[0]))\n"
        "    s.sendto(('%s from %s' % (text.decode(), sender[0])).encode(), sender)\n",
        log.c_str(), nullptr);
    ::_exit(127);
  }
  return pid;
}

class FarMachine {
public:
  FarMachine() : m_pid(start_far_machine(m_directory.path() + "/heard")) {
    shell(fmt::format(
        "for i in $(seq 200); do test \"$(readlink /proc/{0}/ns/net)\" != \"$(readlink /proc/self/ns/net)\" "
        "&& break; sleep 0.01; done\n"
        "ip link add up0 type veth peer name far0 netns {0}\n"
        "ip address add 192.0.2.1/24 dev up0; ip address add 169.254.169.1/16 dev up0; ip link set up0 up\n"
        "nsenter -t {0} -n sh -ec 'ip link set lo up; ip address add 192.0.2.2/24 dev far0; "
        "ip address add 169.254.169.254/16 dev far0; ip link set far0 "
        "up'\n"
        "for i in $(seq 500); do nsenter -t {0} -n sh -c 'grep -q :0007 /proc/net/udp' && exit 0; sleep "
        "0.01; done",
        m_pid));
  }

  ~FarMachine() {
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
  }

  /// "hello from 192.0.2.1" a line.
  std::string heard() const { return os::read_file(m_directory.path() + "/heard"); }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-far"};
  pid_t m_pid;
};

TEST_F(Taps, CarryAGuestsPacketsUnderTheHostsAddress) {
  in_own_network([&] {
    const FarMachine far;
    const auto tap = TapManager(config()).make();
    WireGuest guest(tap.plan().tap, tap.plan().guest_address, tap.plan().host_address);
    ASSERT_TRUE(guest.finds_gateway());
    guest.send({tap.plan().guest_address, "192.0.2.2", "hello"});
    const auto answer = guest.receive(5000);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text, "hello from 192.0.2.1");
    EXPECT_EQ(answer->source, "192.0.2.2");
    EXPECT_EQ(answer->destination, tap.plan().guest_address);
  });
}

TEST_F(Taps, CarryNothingElse) {
  in_own_network([&] {
    const FarMachine far;
    const TapManager manager(config());
    const auto tap = manager.make();
    const auto neighbour = manager.make();
    WireGuest guest(tap.plan().tap, tap.plan().guest_address, tap.plan().host_address);
    WireGuest other(neighbour.plan().tap, neighbour.plan().guest_address, neighbour.plan().host_address);
    ASSERT_TRUE(guest.finds_gateway());
    ASSERT_TRUE(other.finds_gateway());
    const os::Fd host(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in everywhere{};
    everywhere.sin_family = AF_INET;
    everywhere.sin_port = htons(7);
    ASSERT_EQ(::bind(host.get(), reinterpret_cast<sockaddr*>(&everywhere), sizeof(everywhere)), 0);
    guest.send({"10.9.8.7", "192.0.2.2", "with another's address"});
    guest.send({tap.plan().guest_address, tap.plan().host_address, "to the host"});
    guest.send({tap.plan().guest_address, neighbour.plan().guest_address, "to the neighbour"});
    guest.send({tap.plan().guest_address, "192.0.2.1", "to the host's other address"});
    guest.send({tap.plan().guest_address, "169.254.169.254", "to the cloud's metadata"});
    EXPECT_FALSE(other.receive(300));
    EXPECT_FALSE(guest.receive(300));
    char byte = 0;
    EXPECT_LT(::recv(host.get(), &byte, 1, MSG_DONTWAIT), 0) << "the host heard it";
    // The way is open all the same.
    guest.send({tap.plan().guest_address, "192.0.2.2", "hello"});
    EXPECT_TRUE(guest.receive(5000));
    EXPECT_EQ(far.heard(), "hello from 192.0.2.1\n");
  });
}

TEST_F(Taps, OfKilledProcessesAreRemovedByTheNext) {
  for (const auto* point : {"tap.recorded", "tap.made", "tap.ruled"}) {
    in_own_network([&] {
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::setenv("PYRO_CRASH_AT", point, 1);
        std::ignore = TapManager(config()).make();
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(pid, &status, 0);
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
      EXPECT_EQ(records(), std::vector<std::string>{"pyro-t0.tap.json"}) << point;
      EXPECT_EQ(TapManager(config()).remove_abandoned(), std::vector<std::string>{"pyro-t0"});
      EXPECT_EQ(what_is_left(), "") << point;
    });
  }
}

TEST_F(Taps, OfLivingProcessesStay) {
  in_own_network([&] {
    const TapManager manager(config());
    const auto tap = manager.make();
    EXPECT_EQ(manager.remove_abandoned(), std::vector<std::string>{});
    EXPECT_TRUE(os::find_network_link("pyro-t0"));
  });
}

TEST_F(Taps, OfOthersAreLeftAlone) {
  in_own_network([&] {
    // A dead process wrote down a name that by now somebody else has.
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setenv("PYRO_CRASH_AT", "tap.recorded", 1);
      std::ignore = TapManager(config()).make();
      ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
    ASSERT_TRUE(os::make_tap("pyro-t0", {0, 0}, "somebody else's"));
    shell("nft add table inet pyro-t0");
    EXPECT_EQ(TapManager(config()).remove_abandoned(), std::vector<std::string>{"pyro-t0"});
    EXPECT_TRUE(os::find_network_link("pyro-t0"));
    EXPECT_NE(shell("nft list tables").find("pyro-t0"), std::string::npos);
    EXPECT_EQ(TapManager(config()).make().plan().tap, "pyro-t1");
  });
}

TEST_F(Taps, NeedAMachineThatForwards) {
  in_own_network([&] {
    shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
    try {
      std::ignore = TapManager(config()).make();
      ADD_FAILURE() << "made";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
      EXPECT_EQ(error.hint(), "sysctl -w net.ipv4.ip_forward=1");
    }
    EXPECT_EQ(what_is_left(), "");
  });
}

} // namespace
} // namespace pyro::backend::firecracker
