#include <pyro/egress/gateway_addresses.hpp>
#include <pyro/gateway/given_addresses.hpp>
#include <pyro/gateway/refused_packets.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>

namespace pyro::gateway {
namespace {

TEST(GivenAddresses, ANameKeepsItsOwnAndNobodyElseGetsIt) {
  GivenAddresses given;
  const auto first = given.of("a.example");
  const auto second = given.of("b.example");
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(given.of("a.example"), first);
  EXPECT_EQ(given.name_at(*first), "a.example");
  EXPECT_EQ(given.name_at(*second), "b.example");
  EXPECT_TRUE(GivenAddresses::holds(*first));
}

TEST(GivenAddresses, FollowFromTheNames) {
  GivenAddresses one;
  GivenAddresses other;
  std::ignore = one.of("a.example");
  EXPECT_EQ(one.of("b.example"), other.of("b.example"));
}

TEST(GivenAddresses, OthersHaveNoName) {
  GivenAddresses given;
  std::ignore = given.of("a.example");
  for (const auto* address :
       {"198.18.1.1", "198.18.0.0", egress::k_gateway_address, egress::k_workspace_address, "198.19.255.255",
        "9.9.9.9", "::1"}) {
    EXPECT_EQ(given.name_at(destination_from(address)), std::nullopt) << address;
  }
}

TEST(GivenAddresses, ThereIsAnEnd) {
  GivenAddresses given;
  std::size_t count = 0;
  std::optional<Destination> last;
  while (const auto next = given.of(std::to_string(count) + ".example")) {
    last = next;
    ASSERT_LT(++count, 200'000U);
  }
  EXPECT_GT(count, 60'000U);
  EXPECT_TRUE(GivenAddresses::holds(*last));
  EXPECT_EQ(given.name_at(*last), std::to_string(count - 1) + ".example");
  EXPECT_TRUE(given.of("0.example"));
}

std::string ipv4(int protocol, const std::string& transport) {
  std::string packet(20, '\0');
  packet[0] = 0x45;
  packet[9] = static_cast<char>(protocol);
  packet.replace(16, 4, "\x09\x09\x09\x09");
  return packet + transport;
}

std::string tcp(unsigned char flags) {
  std::string header(20, '\0');
  header[2] = 0x01;
  header[3] = static_cast<char>(0xbb);
  header[13] = static_cast<char>(flags);
  return header;
}

TEST(RefusedPackets, FirstOfAConnectionAndDatagramsAreSeen) {
  EXPECT_EQ(packet_from(ipv4(IPPROTO_TCP, tcp(2))), (SeenPacket{true, destination_from("9.9.9.9"), 443}));
  EXPECT_EQ(packet_from(ipv4(IPPROTO_TCP, tcp(0x12))), std::nullopt) << "an answer";
  EXPECT_EQ(packet_from(ipv4(IPPROTO_TCP, tcp(0x10))), std::nullopt) << "later ones";
  EXPECT_EQ(packet_from(ipv4(IPPROTO_UDP, tcp(0))), (SeenPacket{false, destination_from("9.9.9.9"), 443}));
  EXPECT_EQ(packet_from(ipv4(IPPROTO_ICMP, tcp(0))), std::nullopt);
}

TEST(RefusedPackets, ShortOnesAreNone) {
  const auto whole = ipv4(IPPROTO_TCP, tcp(2));
  for (std::size_t size = 0; size < 34; ++size) {
    EXPECT_EQ(packet_from(whole.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(packet_from(std::string(60, '\x4f')), std::nullopt);
  EXPECT_EQ(packet_from(std::string(60, '\0')), std::nullopt);
}

} // namespace
} // namespace pyro::gateway
