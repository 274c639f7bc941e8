#include "own_network.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tap_device.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

const std::string k_mac("\x06\x00\x01\x02\x03\x04", 6);
const std::string k_broadcast(6, '\xff');
constexpr std::size_t k_vnet_header = 10; // of every frame, as IFF_VNET_HDR has it
constexpr std::size_t k_ethernet = 14;

std::string big_endian(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string packed(const std::string& address) {
  std::string bytes(4, '\0');
  ::inet_pton(AF_INET, address.c_str(), bytes.data());
  return bytes;
}

std::string dotted(const std::string& bytes) {
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, bytes.data(), text, sizeof(text));
}

std::string checksum(const std::string& header) {
  unsigned sum = 0;
  for (std::size_t index = 0; index < header.size(); index += 2) {
    sum += (static_cast<unsigned char>(header[index]) << 8) + static_cast<unsigned char>(header[index + 1]);
  }
  while (sum >> 16) {
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return big_endian(~sum & 0xffff);
}

std::string
arp(unsigned operation, const std::string& target_mac, const std::string& from, const std::string& to) {
  return big_endian(1) + big_endian(ETHERTYPE_IP) + "\x06\x04" + big_endian(operation) + k_mac + from
         + target_mac + to;
}

} // namespace

void in_own_network(const std::function<void()>& test) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "TAP devices are made by root only";
  }
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    int status = 1;
    try {
      if (::unshare(CLONE_NEWNET) == 0) {
        shell("ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward");
        test();
        status = ::testing::Test::HasFailure() ? 1 : 0;
      }
    } catch (const std::exception& error) {
      std::printf("in the own network: %s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see above";
}

std::string shell(const std::string& script) {
  return os::run_checked({{"sh", "-ec", script}}, {}, std::chrono::seconds(20));
}

WireGuest::WireGuest(const std::string& tap, std::string address, std::string gateway)
    : m_tap(os::open_tap(tap)), m_address(packed(address)), m_gateway(packed(gateway)) {
}

std::optional<std::string> WireGuest::read_frame(int milliseconds) {
  pollfd waiting{m_tap.get(), POLLIN, 0};
  if (::poll(&waiting, 1, milliseconds) <= 0) {
    return std::nullopt;
  }
  std::string frame(4096, '\0');
  const auto count = ::read(m_tap.get(), frame.data(), frame.size());
  frame.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return frame.size() < k_vnet_header + k_ethernet ? std::string() : frame.substr(k_vnet_header);
}

void WireGuest::write_frame(
    const std::string& destination_mac, unsigned short type, const std::string& payload) {
  os::write_all(
      m_tap.get(), std::string(k_vnet_header, '\0') + destination_mac + k_mac + big_endian(type) + payload);
}

bool WireGuest::finds_gateway() {
  const auto deadline = os::now_monotonic() + std::chrono::milliseconds(5000);
  while (os::now_monotonic() < deadline) {
    write_frame(k_broadcast, ETHERTYPE_ARP, arp(1, std::string(6, '\0'), m_address, m_gateway));
    for (auto frame = read_frame(200); frame; frame = read_frame(50)) {
      const auto payload = frame->size() > k_ethernet ? frame->substr(k_ethernet) : "";
      if (frame->substr(0, 6) == k_mac && payload.size() >= 28 && payload.substr(6, 2) == big_endian(2)
          && payload.substr(14, 4) == m_gateway) {
        m_gateway_mac = payload.substr(8, 6);
        return true;
      }
    }
  }
  return false;
}

void WireGuest::send(const Datagram& datagram) {
  const auto udp = big_endian(7) + big_endian(7) + big_endian(static_cast<unsigned>(8 + datagram.text.size()))
                   + std::string(2, '\0') + datagram.text;
  const auto start = std::string("\x45\x00", 2) + big_endian(static_cast<unsigned>(20 + udp.size()))
                     + std::string("\x00\x01\x40\x00\x40\x11", 6);
  const auto ends = packed(datagram.source) + packed(datagram.destination);
  write_frame(
      m_gateway_mac, ETHERTYPE_IP, start + checksum(start + std::string(2, '\0') + ends) + ends + udp);
}

void WireGuest::answer_arp(const std::string& frame) {
  const auto request = frame.substr(k_ethernet);
  if (request.size() >= 28 && request.substr(24, 4) == m_address) {
    write_frame(
        frame.substr(6, 6), ETHERTYPE_ARP, arp(2, request.substr(8, 6), m_address, request.substr(14, 4)));
  }
}

std::optional<Datagram> WireGuest::receive(int milliseconds) {
  const auto deadline = os::now_monotonic() + std::chrono::milliseconds(milliseconds);
  while (os::now_monotonic() < deadline) {
    const auto frame = read_frame(50).value_or("");
    if (frame.size() <= k_ethernet) {
      continue;
    }
    const auto type = frame.substr(12, 2);
    if (type == big_endian(ETHERTYPE_ARP)) {
      answer_arp(frame);
    } else if (type == big_endian(ETHERTYPE_IP) && frame.size() >= 42 && frame[23] == 17) {
      const auto size = static_cast<std::size_t>(static_cast<unsigned char>(frame[39])) - 8;
      return Datagram{dotted(frame.substr(26, 4)), dotted(frame.substr(30, 4)), frame.substr(42, size)};
    }
  }
  return std::nullopt;
}

} // namespace pyro::backend::firecracker
