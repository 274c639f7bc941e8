// Which ids a user namespace has, by the text of its map.
#include <pyro/os/id_space.hpp>

#include <gtest/gtest.h>

namespace pyro::os {
namespace {

using Ranges = std::vector<IdRange>;

TEST(IdSpace, TheIdsOfAMapAreThoseWithoutAGap) {
  EXPECT_EQ(ids_in_map("         0          0 4294967295\n", 0, k_id_count), (Ranges{{0, 0, k_id_count}}));
  const std::string rootless = "         0       1001          1\n         1     100000      65536\n";
  EXPECT_EQ(ids_in_map(rootless, 0, k_id_count), (Ranges{{0, 0, 1}, {1, 1, k_id_count - 1}}))
      << "in the parts of the map";
  EXPECT_EQ(ids_in_map(rootless, k_shifted_base, k_id_count), Ranges{}) << "not there";
  EXPECT_EQ(ids_in_map("5 5 10\n1 1 4\n0 0 1\n", 0, 100), (Ranges{{0, 0, 1}, {1, 1, 4}, {5, 5, 10}}))
      << "in whatever order";
  EXPECT_EQ(ids_in_map("0 1000 1\n2 100 10\n", 0, 100), (Ranges{{0, 0, 1}})) << "a gap";
  EXPECT_EQ(ids_in_map("", 0, 100), Ranges{});
}

} // namespace
} // namespace pyro::os
