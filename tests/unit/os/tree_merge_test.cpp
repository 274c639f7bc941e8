#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_merge.hpp>
#include <pyro/os/tree_walk.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace pyro::os {
namespace {

namespace fs = std::filesystem;

class TreeMergeTest : public ::testing::Test {
protected:
  TreeMergeTest() : m_directory("/tmp", "pyro-merge") {
    for (const auto* name : {"live", "new", "attic"}) {
      fs::create_directory(root() / name);
    }
  }

  fs::path root() const { return m_directory.path(); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root() / path).parent_path());
    std::ofstream(root() / path) << text;
  }

  TreeMerge merge() {
    m_live = open_directory(root() / "live");
    m_new = open_directory(root() / "new");
    m_attic = open_directory(root() / "attic");
    return {m_live.get(), m_new.get(), m_attic.get()};
  }

  std::map<std::string, std::string> live() const {
    std::map<std::string, std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(root() / "live")) {
      const auto path = entry.path().lexically_relative(root() / "live").string();

      struct stat status {};

      ::lstat(entry.path().c_str(), &status);
      tree[path] = std::to_string(status.st_mode) + " " + std::to_string(status.st_ino);
      if (entry.is_symlink()) {
        tree[path] += " -> " + fs::read_symlink(entry.path()).string();
      } else if (entry.is_regular_file()) {
        std::ifstream file(entry.path());
        tree[path] += " " + std::string(std::istreambuf_iterator<char>(file), {});
      }
    }
    return tree;
  }

  std::string text(const std::string& path) const {
    std::ifstream file(root() / "live" / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

private:
  TempDir m_directory;
  Fd m_live;
  Fd m_new;
  Fd m_attic;
};

TEST_F(TreeMergeTest, AddsReplacesRemovesAndPrunes) {
  put("live/a", "1");
  put("live/d/kept", "k");
  put("live/gone/x", "x");
  put("live/gone2/y", "y");
  put("new/a", "2");
  put("new/d/more", "m");
  put("new/e/f/g", "g");
  auto change = merge();
  change.remove("gone/x", TreeMerge::Prune::yes);
  change.remove("gone2/y", TreeMerge::Prune::no);
  const auto counts = change.commit();
  EXPECT_EQ(counts.added, 2U);
  EXPECT_EQ(counts.replaced, 1U);
  EXPECT_EQ(counts.removed, 2U);
  EXPECT_EQ(text("a") + text("d/kept") + text("d/more") + text("e/f/g"), "2kmg");
  EXPECT_FALSE(fs::exists(root() / "live/gone"));
  EXPECT_TRUE(fs::exists(root() / "live/gone2"));
}

TEST_F(TreeMergeTest, AFailureInTheMiddlePutsEverythingBack) {
  put("live/a", "1");
  put("live/d/file", "f");
  put("live/r/removed", "r");
  put("live/z/inside", "z");
  fs::create_directory_symlink("d", root() / "live/link");
  fs::permissions(root() / "live/r", fs::perms(0710));
  put("new/a", "2");
  put("new/d/new", "n");
  put("new/e/f", "e");
  put("new/link/real", "l");
  put("new/z", "a file where a directory is");
  const auto before = live();
  auto change = merge();
  change.remove("r/removed", TreeMerge::Prune::yes);
  EXPECT_THROW(change.commit(), Error);
  EXPECT_EQ(live(), before);
}

TEST_F(TreeMergeTest, AFailedRemovalPutsBackWhatWasRemoved) {
  put("live/a/b/c", "1");
  const auto before = live();
  auto change = merge();
  change.remove("a/b/c", TreeMerge::Prune::yes);
  change.remove("none", TreeMerge::Prune::yes);
  EXPECT_THROW(change.commit(), Error);
  EXPECT_EQ(live(), before);
}

TEST_F(TreeMergeTest, ExpectationsAreCheckedFirst) {
  put("live/a", "1");
  put("new/a", "2");
  const auto look = [&] {
    struct stat status {};
    EXPECT_EQ(::lstat((root() / "live/a").c_str(), &status), 0);
    return TreeMerge::Look{1, mtime_ns_of(status)};
  }();
  for (const auto& [path, expected] : std::map<std::string, std::optional<TreeMerge::Look>>{
           {"a", std::nullopt}, {"a/below", look}, {"b", look}}) {
    auto change = merge();
    change.expect(path, expected);
    EXPECT_THROW(change.commit(), Error) << path;
    EXPECT_EQ(text("a"), "1");
  }
  auto change = merge();
  change.expect("a", look);
  change.expect("b", std::nullopt);
  change.expect("no/such/directory", std::nullopt);
  change.commit();
  EXPECT_EQ(text("a"), "2");
}

TEST_F(TreeMergeTest, NeverGoesThroughASymlink) {
  put("outside/x", "1");
  fs::create_directory_symlink(root() / "outside", root() / "live/out");
  put("new/out/x", "2");
  auto change = merge();
  change.commit();
  std::ifstream file(root() / "outside/x");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "1");
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(root() / "live/out")));
  fs::create_directory_symlink(root() / "outside", root() / "live/again");
  auto removal = merge();
  removal.remove("again/x", TreeMerge::Prune::no);
  EXPECT_THROW(removal.commit(), Error);
  EXPECT_TRUE(fs::exists(root() / "outside/x"));
}

TEST_F(TreeMergeTest, LeavesWhatIsTheSameAlone) {
  put("live/a", "same");
  put("new/a", "same");
  const auto before = live();
  EXPECT_EQ(merge().commit().unchanged, 1U);
  EXPECT_EQ(live(), before);
}

} // namespace
} // namespace pyro::os
