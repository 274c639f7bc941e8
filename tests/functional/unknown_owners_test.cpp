// Archives come from machines with users of their own: npm's have owners like 197609. As root, tar and npm
// give the files to them, and no sandbox has ids beyond 65535.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class UnknownOwners : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped()) {
      make_busybox_root(project() / "image");
      write_file(
          project() / "pyro.yaml",
          "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ., exclude: [image/]}\n"
          "snapshots: {start: {at: seed}}\n");
    }
  }
};

TEST_F(UnknownOwners, FilesStayWhoseTheyAre) {
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("touch f l && ln -s f link && chown 100000:100000 f && chown -h 100000 link && chgrp 65536 l "
             "&& stat -c %u:%g f link l")
          .out,
      "0:0\n0:0\n0:0\n");
  if (!has_users()) {
    // Of the ids that sandboxes have, this one lacks most: nobody is told that a file is a user's where it is
    // not.
    EXPECT_NE(inside("chown 1000 f").status, 0);
    return;
  }
  EXPECT_EQ(
      inside("chown 1000:1001 f && stat -c %u:%g f && chown 100000 f && stat -c %u:%g f && chown 65535 f && "
             "stat -c %u:%g f")
          .out,
      "1000:1001\n1000:1001\n65535:1001\n");
}

} // namespace
} // namespace pyro::testing
