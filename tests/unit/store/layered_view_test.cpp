#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/store/layered_view.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace pyro::store::test {

using Names = std::vector<std::string>;

TEST(LayeredView, UpperHidesLower) {
  const Scratch scratch;
  write(scratch / "low/a/one", "low");
  write(scratch / "low/a/two", "low");
  write(scratch / "up/a/one", "up");
  const LayeredView view(Stack::of({scratch / "low", scratch / "up"}));
  EXPECT_EQ(view.list("a"), (Names{"one", "two"}));
  EXPECT_EQ(view.lookup("/a/one")->tree, scratch / "up");
  EXPECT_EQ(view.lookup("a/two")->tree, scratch / "low");
  EXPECT_FALSE(view.lookup("a/three"));
}

TEST(LayeredView, WhiteoutsAndOpaqueDirectories) {
  const Scratch scratch;
  write(scratch / "low/a/one", "low");
  write(scratch / "low/b/one", "low");
  write(scratch / "low/c", "low");
  make_whiteout(scratch / "up/a/one");
  make_opaque(scratch / "up/b");
  write(scratch / "up/b/two", "up");
  make_whiteout(scratch / "up/c");
  const LayeredView view(Stack::of({scratch / "low", scratch / "up"}));
  EXPECT_EQ(view.list(""), (Names{"a", "b"}));
  EXPECT_EQ(view.list("a"), Names{});
  EXPECT_EQ(view.list("b"), Names{"two"});
  EXPECT_FALSE(view.lookup("c"));
  EXPECT_FALSE(view.lookup("b/one"));
}

TEST(LayeredView, OfAHostDirectoryOnlyWhatIsPublicIsThere) {
  const Scratch scratch;
  for (const auto* path :
       {"host/open/public", "host/open/private", "host/open/group", "host/closed/public",
        "host/unlisted/public", "layer/usr/closed/ours"}) {
    write(scratch / path, "x");
  }
  ASSERT_EQ(::chmod((scratch / "host/open/private").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((scratch / "host/open/group").c_str(), 0640), 0);
  ASSERT_EQ(::chmod((scratch / "host/closed").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((scratch / "host/unlisted").c_str(), 0711), 0);
  ASSERT_EQ(::chmod((scratch / "layer/usr/closed/ours").c_str(), 0600), 0);
  const LayeredView view(Stack::of({scratch / "layer"}, {{scratch / "host", "usr"}}));
  EXPECT_EQ(view.list("usr"), (Names{"closed", "open"}));
  EXPECT_EQ(view.list("usr/open"), Names{"public"});
  EXPECT_EQ(view.list("usr/closed"), Names{"ours"}) << "a layer's own are there whatever their mode";
  for (const auto* path :
       {"usr/open/private", "usr/open/group", "usr/closed/public", "usr/unlisted", "usr/unlisted/public"}) {
    EXPECT_FALSE(view.lookup(path)) << path;
  }
}

TEST(LayeredView, AFileBetweenDirectoriesEndsTheMerge) {
  const Scratch scratch;
  write(scratch / "1/a/old", "");
  write(scratch / "2/a", "a file");
  const Stack two = Stack::of({scratch / "1", scratch / "2"});
  EXPECT_TRUE(LayeredView(two).lookup("a")->is_file());
  EXPECT_FALSE(LayeredView(two).lookup("a/old"));
}

TEST(LayeredView, SymlinksAreNeverFollowed) {
  const Scratch scratch;
  write(scratch / "secret/file", "outside");
  make_symlink(scratch / "secret", scratch / "low/link");
  const LayeredView view(Stack::of({scratch / "low"}));
  EXPECT_TRUE(view.lookup("link")->is_symlink());
  EXPECT_FALSE(view.lookup("link/file"));
  EXPECT_THROW(view.lookup("../secret/file"), Error);

  // Swapped in after the lookup: opening still refuses.
  write(scratch / "low/d/file", "inside");
  const auto found = view.lookup("d/file");
  os::remove_tree(scratch / "low/d");
  make_symlink(scratch / "secret", scratch / "low/d");
  EXPECT_THROW(found->open(), Error);
}

TEST(LayeredView, HostDirectoriesLieBelowEveryLayer) {
  const Scratch scratch;
  write(scratch / "host/bin/sh", "host");
  write(scratch / "host/bin/vi", "host");
  write(scratch / "layer/usr/bin/vi", "layer");
  make_directory(scratch / "layer/etc");
  make_directory(scratch / "gen/root/upper/usr");
  make_whiteout(scratch / "gen/usr/upper/bin/sh");
  const Stack stack = Stack::of({scratch / "layer"}, {{scratch / "host", "usr"}});
  EXPECT_EQ(LayeredView(stack).list("usr/bin"), (Names{"sh", "vi"}));
  EXPECT_EQ(read(scratch / "layer/usr/bin/vi"), "layer");
  EXPECT_EQ(LayeredView(stack).lookup("usr/bin/vi")->tree, scratch / "layer");
  EXPECT_EQ(LayeredView(stack).lookup("usr/bin/sh")->tree, scratch / "host");

  const auto parts = parts_of_generation(scratch / "gen", stack.host_directories);
  const Stack live = with_uppers(stack, parts);
  EXPECT_EQ(LayeredView(live).list(""), (Names{"etc", "usr"}));
  EXPECT_EQ(LayeredView(live).list("usr/bin"), Names{"vi"});

  const auto diff = compute_diff(stack, live);
  ASSERT_EQ(diff.size(), 1U);
  EXPECT_EQ(diff[0].path, "usr/bin/sh");
  EXPECT_EQ(diff[0].status, DiffStatus::deleted);
}

TEST(LayeredView, WhatALiveDirectoryCoversIsNotThere) {
  const Scratch scratch;
  write(scratch / "low/workspace/src/deep/file", "hidden");
  write(scratch / "low/workspace/srcs/file", "x");
  auto stack = Stack::of({scratch / "low"});
  stack.live = {{"workspace/src", "/home/me/src"}};
  const LayeredView view(stack);
  EXPECT_EQ(view.list("workspace"), Names{"srcs"});
  EXPECT_FALSE(view.lookup("workspace/src"));
  EXPECT_FALSE(view.lookup("workspace/src/deep/file"));
  EXPECT_FALSE(view.directory("workspace/src/deep"));
  EXPECT_TRUE(view.lookup("workspace/srcs/file"));
}

TEST(LayeredView, PartFoldersNeverCollide) {
  EXPECT_EQ(part_folder(""), "root");
  EXPECT_EQ(part_folder("root"), "host_root");
  EXPECT_EQ(part_folder("usr"), "usr");
}

} // namespace pyro::store::test
