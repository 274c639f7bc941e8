#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/layers.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::store::test {

namespace {

class LayersTest : public ::testing::Test {
protected:
  LayersTest() { m_base.prepare(); }

  LayerManifest publish(const std::string& content) {
    Staging staging = store.stage();
    write(staging.tree() + "/dir/file", content);
    return store.publish(std::move(staging), {"test", "here"}, os::Durable::no);
  }

  Scratch scratch;
  Base m_base{scratch / "base"};
  LayerStore store{m_base};
};

} // namespace

TEST_F(LayersTest, PublishedOnceUnderItsDigest) {
  const auto first = publish("one");
  const auto again = publish("one");
  const auto other = publish("two");
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.created_at, again.created_at);
  EXPECT_NE(first.digest, other.digest);
  EXPECT_EQ(first.entry_count, 2U);
  EXPECT_EQ(first.size_bytes, 3U);
  EXPECT_EQ(store.list().size(), 2U);
  EXPECT_EQ(store.open(first.digest).kind, "test");
  EXPECT_EQ(read(store.tree(first.digest) + "/dir/file"), "one");
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty()) << "nothing is left behind";
  store.remove(first.digest);
  EXPECT_FALSE(store.find(first.digest));
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
  EXPECT_THROW(store.open(first.digest), Error);
}

TEST_F(LayersTest, LookedAtOnceWhileNobodyRemovesAny) {
  const auto first = publish("one");
  const auto other = publish("two");
  const LayerStore copy = store;
  {
    const LayerStore::Remembering remembering(store);
    EXPECT_TRUE(copy.find(first.digest));
    EXPECT_TRUE(store.find(other.digest));
    ASSERT_EQ(rename((store.tree(first.digest)).c_str(), (scratch / "away").c_str()), 0);
    EXPECT_TRUE(store.find(first.digest)) << "it was seen";
    EXPECT_EQ(store.trees({first.digest}).size(), 1U);
    EXPECT_TRUE(store.verify(first.digest)) << "that looks at the disk";
    copy.remove(other.digest);
    EXPECT_FALSE(store.find(other.digest)) << "we removed it";
  }
  EXPECT_FALSE(store.find(first.digest));
  EXPECT_THROW(store.trees({first.digest}), Error);
}

TEST_F(LayersTest, TheDigestIsOverContentAndMetadataButNotTimes) {
  const std::string tree = scratch / "tree";
  write(tree + "/a", "text");
  make_symlink("a", tree + "/link");
  make_directory(tree + "/d");
  std::set<std::string> seen{digest_tree(tree).digest};
  const timespec old[2] = {{1, 0}, {2, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (tree + "/a").c_str(), old, 0), 0);
  EXPECT_TRUE(seen.contains(digest_tree(tree).digest));
  const auto expect_new = [&](const char* what) {
    EXPECT_TRUE(seen.insert(digest_tree(tree).digest).second) << what;
  };
  chmod((tree + "/a").c_str(), 0600);
  expect_new("mode");
  write(tree + "/a", "taxt", 0600);
  expect_new("content");
  make_opaque(tree + "/d");
  expect_new("opaque");
  make_whiteout(tree + "/w");
  expect_new("whiteout");
  setxattr((tree + "/a").c_str(), "user.x", "1", 1, 0);
  expect_new("attribute");
  unlink((tree + "/link").c_str());
  make_symlink("b", tree + "/link");
  expect_new("link target");
  chmod(tree.c_str(), 0700);
  expect_new("the root's mode");
  if (geteuid() == 0) {
    std::ignore = chown((tree + "/a").c_str(), 7, 8);
    expect_new("owner");
  }
}

TEST_F(LayersTest, VerifyFindsWhatWasTamperedWith) {
  const auto layer = publish("one");
  EXPECT_FALSE(store.verify(layer.digest));
  write(store.tree(layer.digest) + "/dir/file", "eno");
  EXPECT_TRUE(store.verify(layer.digest));
}

TEST_F(LayersTest, ADamagedLayerIsNoneAndIsReplaced) {
  const auto layer = publish("one");
  write(m_base.layers() + "/" + layer.digest + "/manifest.json", "{");
  EXPECT_FALSE(store.find(layer.digest));
  EXPECT_THROW(store.open(layer.digest), Error);
  EXPECT_EQ(publish("one").digest, layer.digest);
  EXPECT_TRUE(store.find(layer.digest));
  EXPECT_FALSE(store.verify(layer.digest));
}

TEST_F(LayersTest, KnownContentSparesReading) {
  const std::string tree = scratch / "tree";
  write(tree + "/a", "text");
  const auto known = [](const os::TreeEntry&) {
    return std::optional(sha256_of("text"));
  };
  EXPECT_EQ(digest_tree(tree, known).digest, digest_tree(tree).digest);
}

TEST_F(LayersTest, DigestsThatAreNoneAreRefused) {
  EXPECT_THROW(store.tree("../../etc"), Error);
  EXPECT_FALSE(is_digest(std::string(64, 'g')));
  EXPECT_TRUE(is_digest(std::string(64, 'a')));
}

TEST(Layout, RefusesABaseThatIsNotOurs) {
  const Scratch scratch;
  make_directory(scratch / "real");
  make_symlink("real", scratch / "link");
  EXPECT_THROW(Base(scratch / "link").prepare(), Error);
  make_directory(scratch / "open");
  chmod((scratch / "open").c_str(), 0777);
  EXPECT_THROW(Base(scratch / "open").prepare(), Error);
  if (geteuid() == 0) {
    make_directory(scratch / "foreign");
    ASSERT_EQ(chown((scratch / "foreign").c_str(), 1234, 1234), 0);
    EXPECT_THROW(Base(scratch / "foreign").prepare(), Error);
  }
  const Base base(scratch / "new/base/");
  base.prepare();
  base.prepare();

  struct stat status {};

  ASSERT_EQ(stat(base.layers().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST(Layout, NamesAreHarmless) {
  const Base base("/x");
  for (const char* id : {"", "..", "a/b", "-x", ".hidden", "a\nb"}) {
    EXPECT_THROW(WorkspacePaths(base, id), Error) << id;
  }
  EXPECT_NO_THROW(check_new_snapshot_name("after-1.2_x"));
  for (const auto* name : {"Upper", "", ".hidden", "a/b", "baseline"}) {
    EXPECT_THROW(check_new_snapshot_name(name), Error) << name;
  }
  EXPECT_THROW(check_new_snapshot_name(std::string(65, 'a')), Error);
  EXPECT_NO_THROW(check_new_snapshot_name(std::string(64, 'a')));
}

TEST(Layout, FromTheEnvironment) {
  setenv("PYRO_HOME", "/p/h", 1);
  EXPECT_EQ(Base::from_environment().root(), "/p/h");
  unsetenv("PYRO_HOME");
  setenv("XDG_STATE_HOME", "/s", 1);
  EXPECT_EQ(Base::from_environment().root(), "/s/pyro");
  setenv("XDG_STATE_HOME", "relative", 1);
  setenv("HOME", "/h", 1);
  EXPECT_EQ(Base::from_environment().root(), "/h/.local/state/pyro");
  unsetenv("XDG_STATE_HOME");
}

} // namespace pyro::store::test
