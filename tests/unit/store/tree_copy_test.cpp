#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tree_copy.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::store::test {

namespace {

struct stat status_of(const std::string& path) {
  struct stat status {};

  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

} // namespace

TEST(TreeCopy, IsExact) {
  const Scratch scratch;
  const std::string from = scratch / "from";
  write(from + "/program", "#!/bin/sh\n", 04755);
  write(from + "/dir/secret", "s", 0400);
  make_symlink("../nowhere", from + "/dir/link");
  make_whiteout(from + "/dir/gone");
  make_opaque(from + "/dir/opaque");
  ASSERT_EQ(link((from + "/program").c_str(), (from + "/dir/hard").c_str()), 0);
  ASSERT_EQ(mkfifo((from + "/fifo").c_str(), 0640), 0);
  ASSERT_EQ(setxattr((from + "/program").c_str(), "user.note", "n\0o", 3, 0), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(lchown((from + "/dir/link").c_str(), 1234, 2345), 0);
    ASSERT_EQ(chown((from + "/dir/secret").c_str(), 1234, 2345), 0);
  }
  const timespec old[2] = {{1000, 1}, {2000, 123456789}};
  ASSERT_EQ(utimensat(AT_FDCWD, (from + "/dir").c_str(), old, 0), 0);
  ASSERT_EQ(utimensat(AT_FDCWD, (from + "/program").c_str(), old, 0), 0);

  const os::CopyReport report = os::copy_tree(from, scratch / "to");
  EXPECT_EQ(report.entries, 8U);
  EXPECT_EQ(report.linked, 1U);
  EXPECT_EQ(full_walk(scratch / "to"), full_walk(from));
  const std::string to = scratch / "to";
  EXPECT_EQ(status_of(to + "/program").st_mtim.tv_nsec, 123456789);
  EXPECT_EQ(status_of(to + "/dir").st_mtim.tv_sec, 2000);
  EXPECT_EQ(status_of(to + "/program").st_ino, status_of(to + "/dir/hard").st_ino);
  EXPECT_EQ(status_of(to + "/program").st_mode & 07777, 04755U);
  std::array<char, 8> value;
  EXPECT_EQ(getxattr((to + "/program").c_str(), "user.note", value.data(), value.size()), 3);
  EXPECT_EQ(getxattr((to + "/dir/opaque").c_str(), "user.overlay.opaque", value.data(), value.size()), 1);
}

TEST(TreeCopy, KeepsHoles) {
  const Scratch scratch;
  write(scratch / "from/sparse", "begin");
  const int fd = open((scratch / "from/sparse").c_str(), O_WRONLY);
  ASSERT_EQ(pwrite(fd, "middle", 6, 8 << 20), 6);
  ASSERT_EQ(ftruncate(fd, 64 << 20), 0);
  close(fd);
  std::ignore = os::copy_tree(scratch / "from", scratch / "to");
  const auto copy = status_of(scratch / "to/sparse");
  EXPECT_EQ(copy.st_size, 64 << 20);
  EXPECT_LT(copy.st_blocks * 512, 1 << 20);
  EXPECT_EQ(read(scratch / "to/sparse"), read(scratch / "from/sparse"));
}

TEST(TreeCopy, DeepTreesNeedNoDescriptorPerLevel) {
  const Scratch scratch;
  make_directory(scratch / "from");
  std::string path;
  int at = open((scratch / "from").c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < 400; ++level) {
    ASSERT_EQ(mkdirat(at, "deeper", 0755), 0);
    const int next = openat(at, "deeper", O_RDONLY | O_DIRECTORY);
    close(at);
    at = next;
  }
  close(openat(at, "file", O_CREAT | O_WRONLY, 0644));
  close(at);
  EXPECT_EQ(os::copy_tree(scratch / "from", scratch / "to").entries, 401U);
  int left = 0;
  os::walk_tree(
      scratch / "to", os::TreeVisitor{
                          [](const os::TreeEntry&) { return os::Visit::go_on; },
                          [&left](const os::TreeEntry& entry) {
                            ++left;
                            EXPECT_TRUE(os::maybe_status_at(entry.directory, entry.name));
                          }});
  EXPECT_EQ(left, 400);
}

TEST(TreeCopy, UnwantedDirectoriesAreLeftOutWhole) {
  const Scratch scratch;
  write(scratch / "from/a/x", "");
  write(scratch / "from/b/x", "");
  os::CopyOptions options;
  options.wanted = [](const os::TreeEntry& entry) {
    return entry.path != "a";
  };
  std::ignore = os::copy_tree(scratch / "from", scratch / "to", options);
  EXPECT_EQ(os::list_directory(scratch / "to"), std::vector<std::string>{"b"});
}

TEST(TreeWalk, IsSortedAndFollowsNoSymlink) {
  const Scratch scratch;
  write(scratch / "t/b/2", "");
  write(scratch / "t/b/1", "");
  write(scratch / "t/a", "");
  write(scratch / "t/b-c", "");
  make_symlink("/", scratch / "t/link");
  std::vector<std::string> paths;
  os::walk_tree(
      scratch / "t", os::TreeVisitor{
                         [&paths](const os::TreeEntry& entry) {
                           paths.push_back(entry.path);
                           return os::Visit::go_on;
                         },
                         {}});
  EXPECT_EQ(paths, (std::vector<std::string>{"a", "b", "b/1", "b/2", "b-c", "link"}));
}

} // namespace pyro::store::test
