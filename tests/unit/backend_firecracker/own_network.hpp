// A network namespace of the test's own, and a guest's end of a TAP device that speaks Ethernet by hand.
#pragma once

#include <pyro/os/fd.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pyro::backend::firecracker {

/// Runs it in a child with a network namespace of its own, which the kernel takes away with the child. Failed
/// expectations and exceptions in there fail the test here.
void in_own_network(const std::function<void()>& test);

/// Runs `script` with sh; its output. Throws where it fails.
std::string shell(const std::string& script);

struct Datagram {
  std::string source;
  std::string destination;
  std::string text;
};

/// What Firecracker and the guest's kernel would do with a TAP device: answers ARP, sends and receives UDP.
class WireGuest {
public:
  WireGuest(const std::string& tap, std::string address, std::string gateway);

  /// Asks for the gateway's hardware address; false: nobody answers.
  bool finds_gateway();
  /// To port 7, from port 7, with any source address.
  void send(const Datagram& datagram);
  /// nullopt: nothing came in time.
  std::optional<Datagram> receive(int milliseconds);

private:
  std::optional<std::string> read_frame(int milliseconds);
  void write_frame(const std::string& destination_mac, unsigned short type, const std::string& payload);
  void answer_arp(const std::string& frame);

  os::Fd m_tap;
  std::string m_address;
  std::string m_gateway;
  std::string m_gateway_mac;
};

} // namespace pyro::backend::firecracker
