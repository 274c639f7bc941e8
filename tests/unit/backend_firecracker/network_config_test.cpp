#include <pyro/backend/firecracker/network_config.hpp>
#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

#include <set>

namespace pyro::backend::firecracker {
namespace {

TEST(NetworkPlan, FollowsFromTheNumber) {
  const auto plan = plan_addresses("172.29.0.0/16", 7);
  EXPECT_EQ(plan.tap, "pyro-t7");
  EXPECT_EQ(plan.host_address, "172.29.0.29");
  EXPECT_EQ(plan.guest_address, "172.29.0.30");
  EXPECT_EQ(plan.prefix, 30);
  EXPECT_EQ(plan.guest_mac, "06:00:ac:1d:00:1e");
  EXPECT_EQ(plan_addresses("172.29.0.0/16", 16383).guest_address, "172.29.255.254");
}

TEST(NetworkPlan, NumbersNeverShareAnAddressAndNamesFit) {
  std::set<std::string> seen;
  for (unsigned number = 0; number < capacity_of("10.200.0.0/20"); ++number) {
    const auto plan = plan_addresses("10.200.0.0/20", number);
    for (const auto& one : {plan.tap, plan.host_address, plan.guest_address, plan.guest_mac}) {
      EXPECT_TRUE(seen.insert(one).second) << one;
    }
    EXPECT_LE(plan.tap.size(), 15u);
  }
  EXPECT_EQ(plan_addresses("10.0.0.0/8", capacity_of("10.0.0.0/8") - 1).tap, "pyro-t4194303");
}

TEST(NetworkPlan, BeyondThePoolThereIsNothing) {
  EXPECT_EQ(capacity_of("192.168.7.0/28"), 4u);
  EXPECT_THROW(plan_addresses("192.168.7.0/28", 4), Error);
}

TEST(NetworkPlan, OnlyNetworksArePools) {
  for (const auto* text :
       {"", "172.29.0.0", "172.29.0.0/", "172.29.0.0/31", "172.29.0.0/7", "172.29.0.1/16", "172.29.0/16",
        "172.29.0.0/16 ", "fd00::/64", "172.29.0.0/1x"}) {
    EXPECT_THROW(capacity_of(text), Error) << text;
  }
}

} // namespace
} // namespace pyro::backend::firecracker
