#include <pyro/backend/qemu/images_disk.hpp>
#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

#include <regex>

namespace pyro::backend::qemu {
namespace {

TEST(ImagesDisk, IsAlwaysOfOneSizeAndKeepsTheOrder) {
  for (const auto& extents : {std::vector<Extent>{}, std::vector<Extent>{{"/vm/i0", 8}, {"/vm/i1", 4096}}}) {
    const auto text = images_descriptor(extents, "/vm/padding");
    std::uint64_t total = 0;
    std::vector<std::string> paths;
    const std::regex line("RW ([0-9]+) FLAT \"([^\"]+)\" 0");
    for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it) {
      total += std::stoull((*it)[1]);
      paths.push_back((*it)[2]);
    }
    EXPECT_EQ(total, k_images_disk_sectors);
    ASSERT_EQ(paths.size(), extents.size() + 1);
    for (std::size_t at = 0; at < extents.size(); ++at) {
      EXPECT_EQ(paths[at], extents[at].path);
    }
    EXPECT_EQ(paths.back(), "/vm/padding");
  }
}

TEST(ImagesDisk, WhatDoesNotFitIsRefused) {
  try {
    images_descriptor({{"/vm/i0", k_images_disk_sectors}}, "/vm/padding");
    FAIL() << "an image as large as the disk leaves no room for its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

} // namespace
} // namespace pyro::backend::qemu
