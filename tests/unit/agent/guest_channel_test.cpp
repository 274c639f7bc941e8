#include <pyro/agent/guest/channel.hpp>
#include <pyro/base/error.hpp>
#include <pyro/protocol/guest_boot.hpp>

#include <gtest/gtest.h>

namespace pyro::agent {
namespace {

TEST(GuestChannel, ThePortIsReadFromTheKernelsCommandLine) {
  EXPECT_EQ(vsock_port_of("console=ttyS0 pyro.vsock_port=1024 quiet\n"), 1024u);
  EXPECT_EQ(vsock_port_of("pyro.vsock_port=4294967295"), 4294967295u);
  for (const auto* line :
       {"", "quiet", "pyro.vsock_port=", "pyro.vsock_port=x", "pyro.vsock_port=10x",
        "pyro.vsock_port=4294967296", "xpyro.vsock_port=1024", "pyro.vsock_port=-1"}) {
    EXPECT_FALSE(vsock_port_of(line)) << line;
  }
}

TEST(GuestEnter, AddressesAreOptional) {
  protocol::GuestEnter enter;
  enter.hostname = "shop";
  enter.entropy = std::string(64, 'a');
  enter.network = true;
  auto json = protocol::to_json(enter);
  for (const auto* key : {"address", "netmask", "gateway"}) {
    json.erase(key);
  }
  EXPECT_EQ(protocol::guest_enter_from_json(json).address, "");
  enter.address = "172.29.0.2";
  enter.netmask = "255.255.255.252";
  enter.gateway = "172.29.0.1";
  const auto back = protocol::guest_enter_from_json(protocol::to_json(enter));
  EXPECT_EQ(back.address, enter.address);
  EXPECT_EQ(back.netmask, enter.netmask);
  EXPECT_EQ(back.gateway, enter.gateway);
}

} // namespace
} // namespace pyro::agent
