#include <pyro/workspace/sandbox/guest_address.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

constexpr std::string_view k_loopback = R"(Main:
  +-- 127.0.0.0/8 2 0 2
     +-- 127.0.0.0/31 1 0 0
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
)";

constexpr std::string_view k_ethernet = R"(        |-- 10.0.2.0
           /24 link UNICAST
        |-- 10.0.2.15
           /32 host LOCAL
        |-- 10.0.2.255
           /32 link BROADCAST
)";

TEST(GuestAddress, LoopbackIsNone) {
  EXPECT_EQ(address_in_fib_trie(""), std::nullopt);
  EXPECT_EQ(address_in_fib_trie(k_loopback), std::nullopt);
}

TEST(GuestAddress, IsTheOneThatIsLocal) {
  EXPECT_EQ(address_in_fib_trie(std::string(k_loopback) + std::string(k_ethernet)), "10.0.2.15");
}

TEST(GuestAddress, IsNoneOfThoseThatTheGuardOfTheWayOutTakes) {
  const std::string guarded = R"(        |-- 100.100.100.200
           /32 host LOCAL
        |-- 10.0.3.1
           /32 host LOCAL
)";
  EXPECT_EQ(address_in_fib_trie(guarded + std::string(k_ethernet) + guarded), "10.0.2.15");
  EXPECT_EQ(address_in_fib_trie(guarded), std::nullopt);
}

TEST(GuestAddress, OfAProcessThatIsGoneIsNone) {
  EXPECT_EQ(guest_address(1 << 30), std::nullopt);
}

} // namespace
} // namespace pyro::workspace
