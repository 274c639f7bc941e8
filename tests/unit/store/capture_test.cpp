#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/capture.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <chrono>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::store::test {

namespace {

class CaptureTest : public ::testing::Test {
protected:
  CaptureTest() {
    m_base.prepare();
    write(upper + "/workspace/file", "content");
    make_whiteout(upper + "/workspace/gone");
    make_opaque(upper + "/workspace/fresh");
    make_directory(upper + "/proc");
    write(upper + "/run/pid", "1");
    make_directory(upper + "/usr");
    write(scratch / "gen/usr/upper/bin/tool", "tool", 0755);
    link((upper + "/workspace/file").c_str(), (upper + "/workspace/same").c_str());
    setxattr((upper + "/workspace").c_str(), "user.overlay.origin", "x", 1, 0);
    setxattr((upper + "/workspace").c_str(), "user.mine", "kept", 4, 0);
  }

  Staging capture(CaptureMode mode, const std::string& memory = {}) {
    Staging staging(m_base);
    CaptureOptions options;
    options.mode = mode;
    options.drop = {"/proc", "run"};
    options.memory = memory;
    report = capture_generation(parts(), staging, options);
    return staging;
  }

  std::vector<UpperPart> parts() const { return parts_of_generation(scratch / "gen", {{"/usr", "usr"}}); }

  Scratch scratch;
  Base m_base{scratch / "base"};
  LayerStore store{m_base};
  std::string upper = scratch / "gen/root/upper";
  CaptureReport report;
};

std::string attribute(const std::string& path, const char* name) {
  std::array<char, 64> value;
  const ssize_t size = getxattr(path.c_str(), name, value.data(), value.size());
  return size < 0 ? "" : std::string(value.data(), static_cast<std::size_t>(size));
}

ino_t inode(const std::string& path) {
  struct stat status {};

  return lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void expect_captured(const std::string& tree) {
  EXPECT_EQ(read(tree + "/workspace/file"), "content");
  EXPECT_EQ(inode(tree + "/workspace/file"), inode(tree + "/workspace/same"));

  struct stat status {};

  ASSERT_EQ(lstat((tree + "/workspace/gone").c_str(), &status), 0);
  EXPECT_TRUE(os::is_whiteout(status));
  EXPECT_EQ(attribute(tree + "/workspace/fresh", "user.overlay.opaque"), "y");
  EXPECT_EQ(attribute(tree + "/workspace", "user.overlay.origin"), "");
  EXPECT_EQ(attribute(tree + "/workspace", "user.mine"), "kept");
  EXPECT_FALSE(os::exists(tree + "/proc"));
  EXPECT_FALSE(os::exists(tree + "/run"));
  EXPECT_EQ(read(tree + "/usr/bin/tool"), "tool");
}

} // namespace

TEST_F(CaptureTest, CopyLeavesTheUppersAlone) {
  const Tree before = full_walk(upper);
  const Staging staging = capture(CaptureMode::copy);
  expect_captured(staging.tree());
  EXPECT_EQ(full_walk(upper), before);
}

TEST_F(CaptureTest, MoveTakesTheUppers) {
  const ino_t file = inode(upper + "/workspace/file");
  const Staging staging = capture(CaptureMode::move);
  expect_captured(staging.tree());
  EXPECT_EQ(inode(staging.tree() + "/workspace/file"), file);
  EXPECT_FALSE(os::exists(upper));
}

TEST_F(CaptureTest, MoveAndCopyGiveTheSameDigest) {
  const std::string copied = digest_tree(capture(CaptureMode::copy).tree()).digest;
  EXPECT_EQ(digest_tree(capture(CaptureMode::move).tree()).digest, copied);
}

TEST_F(CaptureTest, SocketsAreDropped) {
  for (const CaptureMode mode : {CaptureMode::copy, CaptureMode::move}) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = upper + "/s";
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    std::ignore = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    close(fd);
    ASSERT_TRUE(os::exists(path));
    EXPECT_FALSE(os::exists(capture(mode).tree() + "/s"));
  }
}

TEST_F(CaptureTest, UnchangedFilesAreLinkedFromThePreviousCapture) {
  const std::string memory = scratch / "gen/capture";
  std::this_thread::sleep_for(std::chrono::milliseconds(80)); // past the tick in which a change could hide
  const auto first = store.publish(capture(CaptureMode::copy, memory), {"snapshot", ""}, os::Durable::no);
  remember_capture(memory, store.tree(first.digest));

  write(upper + "/workspace/new", "new");
  write(scratch / "gen/usr/upper/bin/tool", "loot", 0755); // same size
  const auto second = store.publish(capture(CaptureMode::copy, memory), {"snapshot", ""}, os::Durable::no);
  const std::string old_tree = store.tree(first.digest);
  const std::string new_tree = store.tree(second.digest);
  EXPECT_EQ(inode(new_tree + "/workspace/file"), inode(old_tree + "/workspace/file"));
  EXPECT_EQ(inode(new_tree + "/workspace/same"), inode(new_tree + "/workspace/file"));
  EXPECT_EQ(read(new_tree + "/usr/bin/tool"), "loot");
  EXPECT_EQ(read(old_tree + "/usr/bin/tool"), "tool");
  EXPECT_EQ(read(new_tree + "/workspace/new"), "new");
  EXPECT_FALSE(store.verify(first.digest));
  EXPECT_FALSE(store.verify(second.digest));
}

TEST_F(CaptureTest, AMemoryWhoseLayerIsGoneIsNoHarm) {
  const std::string memory = scratch / "gen/capture";
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  const auto first = store.publish(capture(CaptureMode::copy, memory), {"snapshot", ""}, os::Durable::no);
  remember_capture(memory, store.tree(first.digest));
  store.remove(first.digest);
  expect_captured(capture(CaptureMode::copy, memory).tree());
  write(memory, "pyro capture 1\nrubbish");
  expect_captured(capture(CaptureMode::copy, memory).tree());
}

TEST_F(CaptureTest, WhatIsNoDifferentFromBelowIsLeftOut) {
  const std::string low = scratch / "low";
  std::ignore = os::copy_tree(upper + "/workspace", (make_directory(low), low + "/workspace"));
  os::remove_tree(low + "/workspace/gone");
  write(upper + "/workspace/other", "one");
  std::ignore = os::copy_tree(upper + "/workspace", scratch / "copy");
  write(low + "/workspace/other", "two");
  write(upper + "/workspace/fresh/file", "same");
  write(low + "/workspace/fresh/file", "same");
  const timespec time[2] = {{1000, 0}, {1000, 0}};
  for (const std::string& tree : {upper, low}) {
    ASSERT_EQ(utimensat(AT_FDCWD, (tree + "/workspace/fresh/file").c_str(), time, 0), 0);
  }
  unlink((upper + "/workspace/same").c_str()); // hard linked files stay
  Staging staging(m_base);
  CaptureOptions options;
  options.mode = CaptureMode::move;
  options.below = Stack::of({low});
  capture_generation(parts(), staging, options);
  EXPECT_FALSE(os::exists(staging.tree() + "/workspace/file"));
  EXPECT_EQ(read(staging.tree() + "/workspace/other"), "one");
  EXPECT_TRUE(os::exists(staging.tree() + "/workspace/fresh/file")) << "opaque: below does not show through";
  EXPECT_TRUE(os::exists(staging.tree() + "/workspace/gone"));
}

} // namespace pyro::store::test
