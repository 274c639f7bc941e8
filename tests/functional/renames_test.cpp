// A directory that came with a layer: moved, whatever the kernel makes of it, and as doctor says. See
// docs/decisions/0050.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Renames : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
    write_file(project() / "dir/deep/file", "content\n");
    write_file(project() / "file", "file\n");
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {exclude: [image]}\n");
    expect(0, {"apply", "--yes"});
  }

  /// Is it the same directory afterwards, not a copy?
  bool moves_in_place(const std::string& from, const std::string& to) {
    const auto result = inside("ls -di " + from + "; mv " + from + " " + to + " && ls -di " + to);
    EXPECT_EQ(result.status, 0) << result;
    const auto second = result.out.substr(result.out.find('\n') + 1);
    return std::stoull(result.out) == std::stoull(second);
  }
};

TEST_F(Renames, ADirectoryOfTheSeedIsMovedAsDoctorSays) {
  Json said;
  const auto doctor = json({"doctor"});
  for (const auto& check : doctor["checks"]) {
    if (check["name"] == "renames") {
      said = check;
    }
  }
  ASSERT_FALSE(said.is_null());
  EXPECT_EQ(moves_in_place("dir", "moved"), said["level"] == "ok");
  EXPECT_EQ(said["level"] == "ok", said["hint"] == "") << said;
  EXPECT_TRUE(moves_in_place("moved", "again")) << "by now it is the workspace's own";
  EXPECT_TRUE(moves_in_place("file", "renamed"));
}

TEST_F(Renames, WhatWasMovedIsInDiffsAndSnapshotsAndGoesWithAReset) {
  EXPECT_EQ(inside("mv dir moved; mv /usr/bin /usr/nib").status, 0);
  expect(0, {"snapshot", "save", "point"});
  EXPECT_EQ(inside("rm -r moved").status, 0);
  expect(0, {"reset", "--yes", "--to", "point"});
  EXPECT_EQ(inside("cat moved/deep/file; ls -d dir /usr/nib").out, "content\n/usr/nib\n");
  expect(0, {"fork", "copy", "--snapshot", "point"});
  EXPECT_EQ(
      pyro({"exec", "-w", "copy", "--", "sh", "-c", "cat moved/deep/file; ls -d dir"}).out, "content\n");
  expect(0, {"reset", "--yes", "--to", "baseline"});
  EXPECT_EQ(inside("cat dir/deep/file; ls -d moved").out, "content\n");
}

} // namespace
} // namespace pyro::testing
