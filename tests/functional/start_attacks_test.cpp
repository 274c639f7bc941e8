// Images and earlier lives of a workspace that lie in wait for its start: symlinks, FIFOs and files where
// pyro mounts or writes, and trees that change while they are captured. The oracle is a canary of the host:
// it stays as it was, and its content is nowhere in our state.
#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::testing {
namespace {

class StartAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_marker = "marker-" + std::to_string(::getpid()) + "-of-the-host";
    write_file(canary() / "secret", m_marker + "\n");
    write_file(canary() / "deep/file", "host\n");
    m_before = tree_of(canary());
  }

  fs::path canary() const { return root() / "canary"; }

  void expect_untouched(const std::string& after) {
    EXPECT_EQ(tree_of(canary()), m_before) << after;

    struct stat status {};

    ASSERT_EQ(::stat((canary() / "secret").c_str(), &status), 0);
    EXPECT_EQ(status.st_nlink, 1U) << "it has another name now: " << after;
  }

  /// Neither a bug of ours nor killed nor hung.
  Result bounded(const Arguments& arguments, const std::string& what, RunOptions options = {}) {
    options.timeout = std::chrono::seconds(90);
    auto result = pyro(arguments, options);
    EXPECT_NE(result.status, 70) << what << ": " << result;
    EXPECT_TRUE(result.status < 124 || result.status == 126)
        << what << ": " << result; // 126: no such directory
    EXPECT_FALSE(contains(result.all(), m_marker)) << what << ": " << result;
    return result;
  }

  /// A root file system, with `trap` in each of the places.
  void make_trapped_image(const Arguments& places, const std::string& trap) const {
    const auto image = project() / "image";
    fs::remove_all(image);
    make_busybox_root(image);
    for (const auto& place : places) {
      fs::remove_all(image / place);
      fs::create_directories((image / place).parent_path());
      const std::string target = canary().string() + (place.starts_with("etc/") ? "/secret" : "");
      if (trap == "fifo") {
        ASSERT_EQ(::mkfifo((image / place).c_str(), 0666), 0);
      } else {
        fs::create_symlink(
            (trap == "absolute" ? "" : "../../../../../../../../../..") + target, image / place);
      }
    }
  }

  void expect_nothing_of_the_host_kept() {
    EXPECT_EQ(files_holding(state(), m_marker), std::vector<std::string>());
  }

  std::string m_marker;

private:
  std::map<std::string, std::string> m_before;
};

TEST_F(StartAttacks, NothingInAnImageLeadsAMountOrAFileToTheHost) {
  write_file(project() / "seed/file", "seed\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n"
      "prepare: [{id: planted, cache: [/var/cache/made], run: 'echo planted > "
      "/var/cache/made/planted'}]\n");
  // Together what one start can come past, so that nothing hides behind what was refused before it.
  const std::vector<Arguments> together{
      {"proc", "sys", "dev", "run"},
      {"workspace", "root", ".pyro"},
      {"var/cache/made"},
      {"etc"},
      {"etc/machine-id", "etc/passwd", "etc/resolv.conf", "etc/hosts"}};
  for (const auto& places : together) {
    for (const std::string trap : {"absolute", "climbing", "fifo"}) {
      const auto what = places.front() + " as " + trap;
      make_trapped_image(places, trap);
      const auto applied = bounded({"apply", "--yes"}, what);
      if (applied.status == 0) {
        std::string look = "true";
        for (const auto& place : places) {
          look += "; cat /" + place + " /" + place + "/secret; echo x > /" + place + "/planted";
        }
        bounded(
            {"exec", "--cwd", "/", "--", "/bin/sh", "-c", look + "; cat " + canary().string() + "/secret"},
            what);
      } else {
        EXPECT_FALSE(applied.err.empty()) << what;
      }
      expect_untouched(what);
      bounded({"destroy", "--yes", "--snapshots"}, what);
    }
  }
  expect_nothing_of_the_host_kept();
}

TEST_F(StartAttacks, WhatASandboxLeftAtOurPlacesIsNotFollowedAtItsNextStart) {
  write_file(project() / "file", "one\n");
  spec("prepare: [{id: warm, cache: [/var/cache/made], run: 'echo x > /var/cache/made/x'}]\n"
       "services: {keeper: {command: exec sleep 1000}}\n");
  expect(0, {"apply"});
  const auto to = " " + canary().string() + " ";
  for (const auto& plant : std::vector<std::string>{
           "rm -rf /.pyro; ln -s" + to + "/.pyro", "cd /; mv /workspace /w; ln -s" + to + "/workspace",
           "cd /; rm -rf /workspace; mkfifo /workspace",
           "rm -rf /etc/resolv.conf; ln -s" + to + "/etc/resolv.conf",
           "rm -rf /etc/hosts /etc/hostname; ln -s" + to + "/etc/hosts; mkfifo /etc/hostname",
           "rm -rf /root; ln -s" + to + "/root", "rm -rf /tmp; ln -s" + to + "/tmp",
           "rm -rf /var/cache; ln -s" + to + "/var/cache", "rm -f /etc/passwd; mkfifo /etc/passwd",
           "mv /etc /e; ln -s" + to + "/etc", "mv /var /v; ln -s" + to + "/var"}) {
    std::ignore = inside(plant + "; true");
    bounded({"stop"}, plant);
    bounded({"start"}, plant);
    bounded({"diff"}, plant);
    bounded({"workspace", "file", "write", "test", "note"}, plant, {.input = "written\n"});
    expect_untouched(plant);
    const auto reset = bounded({"reset", "--yes"}, plant);
    EXPECT_EQ(reset.status, 0) << plant << ": no way back: " << reset;
    EXPECT_EQ(inside("cat /workspace/file").out, "one\n") << plant;
    expect_untouched(plant);
  }
  expect_nothing_of_the_host_kept();
}

TEST_F(StartAttacks, CapturesOfTreesThatAreSwappedHaveNothingOfTheHost) {
  fs::copy_file(binary_dir() / "bin/attacks/attack_swap", project() / "attack_swap");
  spec();
  expect(0, {"apply"});
  const auto made = inside(
      "mkdir -p real/deep && echo inside > real/secret && echo inside > real/deep/file && ln -s "
      + canary().string() + " out && echo inside > one && ln -s " + canary().string() + "/secret two");
  ASSERT_EQ(made.status, 0) << made;
  auto swapper = start({"exec", "--", "./attack_swap", "25", "real", "out", "one", "two"});
  for (int round = 0; round < 6; ++round) {
    const auto name = "s" + std::to_string(round);
    bounded({"snapshot", "save", name}, "snapshot");
    bounded({"fork", "--name", "f" + std::to_string(round)}, "fork");
    bounded({"diff"}, "diff");
    bounded({"workspace", "export", "test", ".", "--output", (root() / name).string()}, "export");
  }
  EXPECT_TRUE(eventually([&] { return swapper.try_wait().has_value(); }, 60));
  expect_untouched("captures");
  const auto listed = json({"workspace", "list"});
  for (const auto& one : listed["workspaces"]) {
    const auto id = one["workspace_id"].get<std::string>();
    const auto seen =
        pyro({"exec", "-w", id, "--", "sh", "-c", "cat one two real/* out/* 2>/dev/null; true"});
    EXPECT_FALSE(contains(seen.out, m_marker)) << id;
  }
  expect_nothing_of_the_host_kept();
  expect_untouched("forks");
}

} // namespace
} // namespace pyro::testing
