#include <pyro/base/error.hpp>
#include <pyro/protocol/guest_boot.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

TEST(GuestBoot, RequestsSurviveTheJourney) {
  const GuestMount mount{{8, 4096}, {{"usr", 16}}};
  const auto mounted = guest_mount_from_json(to_json(mount));
  EXPECT_EQ(mounted.layers, mount.layers);
  ASSERT_EQ(mounted.parts.size(), 1U);
  EXPECT_EQ(mounted.parts[0].name, "usr");
  EXPECT_EQ(mounted.parts[0].sectors, 16U);
  const GuestEnter enter{"box", "abc", 1234, std::string(64, '0'), true, "nameserver 1.2.3.4\n"};
  const auto entered = guest_enter_from_json(to_json(enter));
  EXPECT_EQ(to_json(entered), to_json(enter));
}

TEST(GuestBoot, WhatMakesNoSenseIsRefused) {
  const auto mount = [](Json layers) {
    return Json{{"layers", std::move(layers)}, {"parts", Json::array()}};
  };
  for (const auto& wrong :
       {Json::array(), Json::array({0}), Json::array({-1}), Json::array({"8"}), Json::array({1.5})}) {
    EXPECT_THROW(guest_mount_from_json(mount(wrong)), Error) << wrong;
  }
  EXPECT_THROW(guest_mount_from_json(mount(std::vector<int>(k_max_guest_layers + 1, 8))), Error);
  auto enter = to_json(GuestEnter{"box", "", 0, std::string(62, '0'), false, ""});
  EXPECT_THROW(guest_enter_from_json(enter), Error) << "too little entropy";
}

} // namespace
} // namespace pyro::protocol
