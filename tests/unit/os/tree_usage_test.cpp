#include <pyro/os/fd.hpp>
#include <pyro/os/tree_usage.hpp>
#include <pyro/os/tree_walk.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::os {
namespace {

class TreeUsageTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "pyro-usage-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }

  void TearDown() override { std::filesystem::remove_all(root); }

  void write(const std::string& name, std::size_t bytes) const {
    const auto file = open_file((root / name).string(), O_WRONLY | O_CREAT, 0600);
    write_all(file.get(), std::string(bytes, 'x'));
  }

  TreeUsage usage() const { return usage_of_tree(open_directory(root.string()).get()); }

  std::filesystem::path root;
};

TEST_F(TreeUsageTest, CountsWhatIsAllocated) {
  const auto empty = usage();
  EXPECT_EQ(empty.entries, 0U);
  std::filesystem::create_directories(root / "a/b");
  write("a/b/large", 1 << 20);
  write("small", 1);
  std::filesystem::create_symlink("/nowhere", root / "link");
  const auto file = open_file((root / "hole").string(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::ftruncate(file.get(), 1L << 40), 0);
  const auto full = usage();
  EXPECT_EQ(full.entries, 6U);
  EXPECT_GE(full.bytes, 1U << 20);
  EXPECT_LT(full.bytes, 2U << 20) << "a hole counted";
  EXPECT_EQ(full.largest, "a/b/large");
  EXPECT_GE(full.largest_bytes, 1U << 20);
}

TEST_F(TreeUsageTest, SeveralNamesCountOnce) {
  write("one", 1 << 20);
  const auto before = usage();
  for (int i = 0; i < 10; ++i) {
    std::filesystem::create_hard_link(root / "one", root / ("name" + std::to_string(i)));
  }
  const auto after = usage();
  EXPECT_EQ(after.entries, before.entries + 10);
  EXPECT_LT(after.bytes, before.bytes + (1 << 20));
}

} // namespace
} // namespace pyro::os
