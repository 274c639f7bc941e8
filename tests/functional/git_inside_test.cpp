// seed.git: all is for using git inside: nothing of ours shows there as a change, and what keeps it from
// working is told.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class GitInside : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!os::find_program("git")) {
      GTEST_SKIP() << "the checkouts are made with git, which is not installed";
    }
    ::setenv("PYRO_TRUST", "1", 1); // a worktree's environment lies in the other one
    make_busybox_root(root() / "image");
  }

  void file(const std::string& seed, const fs::path& directory = {}) {
    write_file(
        (directory.empty() ? project() : directory) / "pyro.yaml",
        "version: 1\nenvironment: {image: 'dir:" + (root() / "image").string() + "'}\nseed:\n  git: " + seed
            + "\n");
  }

  Result git(const Arguments& arguments, const fs::path& at = {}) {
    const auto result = command(git_command(at.empty() ? project() : at, arguments));
    EXPECT_EQ(result.status, 0) << result;
    return result;
  }

  void commit_all(const fs::path& at = {}) {
    git({"init", "-q"}, at);
    git({"add", "-A"}, at);
    git({"commit", "-qm", "x"}, at);
  }

  std::string seeded() {
    expect(0, {"apply", "--yes"});
    return inside("ls -A | tr '\\n' ' '").out;
  }

  /// What plan and apply say of git.
  std::string told(const fs::path& at = {}) {
    std::string said;
    for (const Arguments& verb : {Arguments{"plan"}, Arguments{"apply", "--yes"}}) {
      const auto result = expect(0, verb, {.cwd = at});
      std::string lines;
      for (std::size_t begin = 0; begin < result.err.size();) {
        const auto end = std::min(result.err.find('\n', begin), result.err.size());
        const auto line = result.err.substr(begin, end - begin);
        const auto found =
            line.find("git will not") == std::string::npos ? std::string::npos : line.find("pyro.yaml:");
        lines += found == std::string::npos ? "" : line.substr(found) + "\n";
        begin = end + 1;
      }
      EXPECT_TRUE(said.empty() || said == lines) << "plan: " << said << "apply: " << lines;
      said = lines;
    }
    return said;
  }
};

/// A status that is clean, with everything that there was.
TEST_F(GitInside, HistoryComesWithoutIgnoredFiles) {
  write_file(project() / "a.txt", "a\n");
  write_file(project() / ".gitignore", "/ignored\nbuild\n");
  write_file(project() / "ignored/big", "x\n");
  file("{history: true}\n  exclude: [release]");
  commit_all();
  git({"branch", "build"}); // named like what is ignored, and like what is excluded
  git({"branch", "release"});
  git({"tag", "v1"});
  git({"pack-refs", "--all"}); // leaves directories that git needs, and nothing in them
  git({"branch", "release", "-f"});
  git({"gc", "-q"});
  EXPECT_EQ(seeded(), ".git .gitignore a.txt pyro.yaml ");
  EXPECT_EQ(told(), "") << "there is nothing wrong with it";
  expect(0, {"cp", ":.", "copy"});
  const auto copy = project() / "copy";
  EXPECT_EQ(git({"status", "--porcelain"}, copy).out, "");
  EXPECT_EQ(git({"log", "--format=%s", "v1"}, copy).out, "x\n");
  EXPECT_EQ(
      git({"branch", "--format=%(refname:short)"}, copy).out,
      git({"branch", "--format=%(refname:short)"}).out);
  git({"fsck", "--strict"}, copy);
}

TEST_F(GitInside, HistoryIsThereOrThePlanSaysWhyNot) {
  file("{history: true}");
  const auto none = expect(66, {"plan"});
  EXPECT_TRUE(contains(none.err, "no .git") && contains(none.err, "pyro.yaml:4")) << none;
  commit_all();
  expect(0, {"plan"});
  file("{history: true}\n  exclude: ['/.git']");
  expect(66, {"plan"});
  file("historical");
  EXPECT_TRUE(contains(expect(65, {"validate"}).all(), "{history: true}"));
}

TEST_F(GitInside, ATrackedFileOfOursIsInTheTreeWhereGitIs) {
  write_file(project() / "a.txt", "a\n");
  file("all");
  commit_all();
  EXPECT_EQ(seeded(), ".git a.txt pyro.yaml ");
  EXPECT_EQ(told(), "") << "there is nothing wrong with it";
  file("all\n  exclude: ['/.git']");
  EXPECT_EQ(seeded(), "a.txt ") << "without git nobody misses it";
  file("all");
  write_file(project() / ".pyroignore", ".git\n");
  EXPECT_EQ(seeded(), ".pyroignore a.txt ");
  fs::remove(project() / ".pyroignore");
  for (const auto* mode : {"tracked", "tracked+untracked"}) {
    file(mode);
    EXPECT_EQ(seeded(), "a.txt ") << mode;
  }
  git({"rm", "-q", "--cached", "pyro.yaml"});
  file("all");
  EXPECT_EQ(seeded(), ".git a.txt ") << "not tracked";
  git({"add", "pyro.yaml"});
  git({"update-index", "--split-index"});
  EXPECT_EQ(seeded(), ".git a.txt pyro.yaml ") << "in a split index";
}

TEST_F(GitInside, GitSeesNoDifferenceAndDirectoriesAreMovedAsDocumented) {
  write_file(project() / "dir/deep/file", "content\n");
  write_file(project() / "pyro.yaml", "version: 1\nenvironment: {image: host}\nseed: {git: all}\n");
  commit_all();
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("git status --porcelain").out, "");
  bool in_place = false;
  const auto doctor = json({"doctor"});
  for (const auto& check : doctor["checks"]) {
    in_place = in_place || (check["name"] == "renames" && check["level"] == "ok");
  }
  const auto moved = inside("git mv dir other");
  EXPECT_EQ(moved.status == 0, in_place) << moved;
  if (!in_place) {
    EXPECT_NE(moved.err.find("cross-device"), std::string::npos) << moved;
    EXPECT_EQ(inside("mv dir other && git add -A").status, 0);
  }
  EXPECT_EQ(
      inside("git status --porcelain; cat other/deep/file").out,
      "R  dir/deep/file -> other/deep/file\ncontent\n");
  EXPECT_EQ(
      inside("git mv other third && git status --porcelain").out, "R  dir/deep/file -> third/deep/file\n")
      << "a copy is the workspace's own";
}

TEST_F(GitInside, ALinkedWorktreeIsToldOfWithItsLineAndTheWayOut) {
  write_file(project() / "a.txt", "a\n");
  file("all");
  commit_all();
  const auto worktree = another_project("worktree");
  fs::remove_all(worktree);
  git({"worktree", "add", "-q", worktree.string()});
  EXPECT_EQ(
      told(worktree),
      "pyro.yaml:4:3: git will not work inside: .git is a linked worktree or submodule, whose repository "
      "lies outside of the seed; `git clone` makes a checkout that has everything of its own\n");
  EXPECT_EQ(inside("cat a.txt", {.cwd = worktree}).out, "a\n");
  file("tracked", worktree);
  EXPECT_EQ(told(worktree), "") << "nobody wants git there";
  const auto clone = another_project("clone");
  fs::remove_all(clone);
  git({"clone", "-q", worktree.string(), clone.string()});
  EXPECT_EQ(told(clone), "") << "the way out";
}

TEST_F(GitInside, OtherLinksThatLeadOutAreTold) {
  const auto other = root() / "other";
  write_file(other / "b.txt", "b\n");
  commit_all(other);
  write_file(project() / "a.txt", "a\n");
  file("all");
  commit_all();
  git({"submodule", "--quiet", "add", other.string(), "module"});
  EXPECT_EQ(told(), "") << "a submodule's repository is in the seed";
  git({"worktree", "add", "-q", (project() / "inner").string()});
  EXPECT_NE(told().find(": inner/.git is a linked worktree"), std::string::npos)
      << "it is named by its place on this machine";
  git({"worktree", "remove", "inner"});
  write_file(project() / ".git/objects/info/alternates", (other / ".git/objects").string() + "\n");
  EXPECT_NE(told().find(": .git/objects/info/alternates is a list"), std::string::npos);
  fs::remove(project() / ".git/objects/info/alternates");
  fs::remove_all(project() / ".git");
  fs::create_symlink(other / ".git", project() / ".git");
  EXPECT_NE(told().find(": .git is a link that leads out"), std::string::npos);
  fs::remove(project() / ".git");
  write_file(project() / ".git", "gitdir: " + std::string(9000, 'x') + "\n"); // bounded, and no checkout
  expect(0, {"plan"});
}

} // namespace
} // namespace pyro::testing
