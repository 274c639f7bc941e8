#include <pyro/backend/shared/egress_guard.hpp>
#include <pyro/egress/reserved.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace pyro::backend {
namespace {

TEST(EgressGuard, MetadataOfTheKnownCloudsIsForbiddenInBothFamilies) {
  for (const auto* address :
       {"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.123", "100.100.100.200",
        "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe",
        "127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1", "224.0.0.251", "ff02::fb", "0.0.0.0"}) {
    EXPECT_TRUE(egress::is_in(egress::forbidden_destinations(), destination_from(address))) << address;
  }
}

/// A gateway that translates would reach the same by these.
TEST(EgressGuard, WhatIsForbiddenIsSoInItsTranslatedFormToo) {
  const auto& all = egress::forbidden_destinations();
  const auto is_covered = [&](const char* address) {
    return egress::is_in(all, destination_from(address));
  };
  for (const auto* address :
       {"64:ff9b::169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::7f00:35", "64:ff9b::100.100.100.200",
        "64:ff9b::168.63.129.16", "64:ff9b::0.0.0.0", "64:ff9b:1::169.254.169.254", "64:ff9b:1::a9fe:aa02"}) {
    EXPECT_TRUE(is_covered(address)) << address;
  }
  for (const auto* address : {"64:ff9b::198.51.100.1", "64:ff9b:1::192.0.2.1", "64:ff9b::128.0.0.1"}) {
    EXPECT_FALSE(is_covered(address)) << address << " is the way out of a network without IPv4";
  }
}

std::string inside(const std::string& text) {
  return resolver_for_sandbox(text).resolv_conf;
}

TEST(EgressGuard, NameServersOfThisMachineAreForwarded) {
  const auto resolver =
      resolver_for_sandbox("# made by\nnameserver 127.0.0.53\noptions edns0\nsearch example.org\n");
  EXPECT_EQ(resolver.resolv_conf, "# made by\nnameserver 198.51.100.53\noptions edns0\nsearch example.org\n");
  EXPECT_EQ(resolver.forwarded, std::vector<std::string>{"198.51.100.53"});
  EXPECT_EQ(
      inside("nameserver ::1\nnameserver\t127.0.0.1 # local\nnameserver 127.0.0.2\n"),
      "nameserver 2001:db8::53\nnameserver 198.51.100.53\n");
  EXPECT_EQ(inside("nameserver 169.254.169.253\n"), "nameserver 198.51.100.53\n");
  EXPECT_EQ(inside("nameserver fe80::1%eth0\n"), "nameserver 2001:db8::53\n");
}

// pasta forwards to the first one, and gives its answers the address of forwarding whoever was asked.
TEST(EgressGuard, OfAFamilyThatIsForwardedTheFirstIs) {
  EXPECT_EQ(
      inside(
          "nameserver 203.0.113.1\nnameserver 127.0.0.1\nnameserver 203.0.113.2\nnameserver 2001:db8:1::1\n"),
      "nameserver 198.51.100.53\nnameserver 203.0.113.2\nnameserver 2001:db8:1::1\n");
}

TEST(EgressGuard, OtherNameServersStay) {
  const std::string text = "nameserver 203.0.113.7\nnameserver 2001:db8:1::1\nnameserver nonsense\n";
  EXPECT_EQ(inside(text), text);
  EXPECT_TRUE(resolver_for_sandbox(text).forwarded.empty());
  EXPECT_EQ(inside(""), "");
}

} // namespace
} // namespace pyro::backend
