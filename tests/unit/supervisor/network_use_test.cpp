#include <pyro/supervisor/network_use.hpp>

#include <gtest/gtest.h>

namespace pyro::supervisor {
namespace {

Json access(const std::string& verdict, const std::string& host, int port, int count = 1) {
  return {{"verdict", verdict}, {"host", host},           {"port", port},
          {"protocol", "tls"},  {"reason", "no " + host}, {"count", count}};
}

TEST(NetworkUse, CountsByHostTheLastAskedForFirst) {
  NetworkUse use;
  use.add_access(access("allowed", "a.example", 443), 1);
  use.add_access(access("denied", "b.example", 0, 3), 2);
  use.add_access(access("allowed", "a.example", 443, 2), 3);
  use.add_traffic({{"host", "a.example"}, {"port", 443}, {"sent", 10}, {"received", 20}});
  use.add_traffic({{"host", "a.example"}, {"port", 443}, {"sent", 1}, {"received", 2}});
  const auto counts = use.counts();
  ASSERT_EQ(counts.at("hosts").size(), 2U);
  const auto& first = counts.at("hosts").at(0);
  EXPECT_EQ(first.at("host"), "a.example");
  EXPECT_EQ(first.at("allowed"), 3);
  EXPECT_EQ(first.at("sent_bytes"), 11);
  EXPECT_EQ(first.at("received_bytes"), 22);
  EXPECT_EQ(counts.at("hosts").at(1).at("denied"), 3);
  EXPECT_TRUE(counts.at("others").is_null());
}

TEST(NetworkUse, ManyNamesThatAreRefusedDoNotHideWhatWasReached) {
  NetworkUse use;
  use.add_access(access("allowed", "a.example", 443), 1);
  for (int i = 0; i < 1000; ++i) {
    use.add_access(access("denied", std::to_string(i) + ".evil.example", 0), 2 + i);
  }
  const auto counts = use.counts();
  EXPECT_EQ(counts.at("hosts").size(), 256U);
  EXPECT_EQ(counts.at("hosts").back().at("host"), "a.example");
  EXPECT_EQ(counts.at("others").at("denied"), 1000 - 255);
}

TEST(NetworkUse, TellsWhatWasRefusedSinceOnceForEachPlace) {
  NetworkUse use;
  use.add_access(access("denied", "before.example", 0), 1);
  const auto cursor = use.refused_since(0).at("cursor").get<std::uint64_t>();
  EXPECT_TRUE(use.refused_since(cursor).at("refused").empty());
  use.add_access(access("allowed", "a.example", 443), 2);
  use.add_access(access("denied", "b.example", 0), 3);
  use.add_access(access("denied", "b.example", 0, 4), 4);
  use.add_access(access("denied", "b.example", 8443), 5);
  const auto told = use.refused_since(cursor);
  ASSERT_EQ(told.at("refused").size(), 2U);
  EXPECT_EQ(told.at("refused").at(0).at("count"), 5);
  EXPECT_EQ(told.at("refused").at(1).at("port"), 8443);
  EXPECT_EQ(told.at("more"), 0);
}

TEST(NetworkUse, WhatIsToldIsBounded) {
  NetworkUse use;
  for (int i = 0; i < 1000; ++i) {
    use.add_access(access("denied", std::string(10'000, 'x') + std::to_string(i), i % 200), 1);
  }
  const auto told = use.refused_since(0);
  EXPECT_EQ(told.at("refused").size(), 32U);
  EXPECT_EQ(told.at("more"), 1000 - 256 + 200 - 32) << "each place once, of those that are kept";
  EXPECT_LT(told.dump().size(), 64U << 10);
}

} // namespace
} // namespace pyro::supervisor
