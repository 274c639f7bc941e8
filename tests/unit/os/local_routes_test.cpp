#include <pyro/base/error.hpp>
#include <pyro/os/local_routes.hpp>
#include <pyro/os/netlink.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace pyro::os {
namespace {

TEST(LocalRoutes, DestinationsAreAddressesWithAPrefix) {
  EXPECT_EQ(destination_from("169.254.0.0/16").prefix, 16);
  EXPECT_EQ(destination_from("10.1.2.3").prefix, 32);
  EXPECT_EQ(destination_from("fd00:ec2::254").prefix, 128);
  for (const auto* wrong : {"", "10.1.2", "10.1.2.3/33", "fe80::/129", "::1/", "::1/x", "::1/8x", "name"}) {
    EXPECT_THROW(destination_from(wrong), Error) << wrong;
  }
}

TEST(LocalRoutes, AWiderOneCoversANarrowerOfTheSameFamily) {
  const auto covered = [](const char* whole, const char* part) {
    return covers(destination_from(whole), destination_from(part));
  };
  EXPECT_TRUE(covered("169.254.0.0/16", "169.254.169.254"));
  EXPECT_TRUE(covered("fe80::/10", "febf::1"));
  EXPECT_TRUE(covered("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(covered("fe80::/10", "fec0::1"));
  EXPECT_FALSE(covered("169.254.169.254", "169.254.0.0/16"));
  EXPECT_FALSE(covered("::/0", "10.0.0.1"));
}

TEST(LocalRoutes, LoopbackIsOfThisMachine) {
  const auto socket = open_route_netlink();
  for (int round = 0; round < 2; ++round) { // the socket serves again
    const auto found = local_destinations(socket.get());
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const auto& destination) {
      return covers(destination, destination_from("127.0.0.1"));
    }));
  }
}

} // namespace
} // namespace pyro::os
