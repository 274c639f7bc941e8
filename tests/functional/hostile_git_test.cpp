// A1. Checkouts whose .git names programs to run. git itself would run them; pyro starts no git and reads
// what it needs as data. The oracle is a canary on this machine, and the trap is shown to work with git
// first.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <unistd.h>

namespace pyro::testing {
namespace {

class HostileGit : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (!os::find_program("git")) {
      GTEST_SKIP() << "the traps are laid with git, which is not installed";
    }
    write_file(program(), "#!/bin/sh\ntouch " + canary().string() + "\nexit 1\n");
    write_file(root() / "path/git", read_file(program()));
    for (const auto& file : {program(), root() / "path/git"}) {
      fs::permissions(file, fs::perms(0755));
    }
    write_file(project() / "kept/file", "kept\n");
    write_file(project() / "hidden/one", "hidden\n");
    write_file(project() / ".gitignore", "*.log\n");
    write_file(project() / "noise.log", "ignored\n");
    spec();
    git({"init", "-q"});
    git({"add", "-A"});
    git({"commit", "-qm", "x"});
  }

  fs::path canary() const { return root() / "canary"; }

  /// Tells by the canary that it was run. As "git" it comes first in the PATH of pyro.
  fs::path program() const { return root() / "trap"; }

  std::string git(const Arguments& arguments, const fs::path& at = {}) {
    return command(git_command(at.empty() ? project() : at, arguments), {.cwd = root()}).out;
  }

  /// A directory that is only in a tree object, which is not here: to list it git fetches it, by a command
  /// that the checkout names.
  void lay_sparse_trap() {
    const auto tree = git({"rev-parse", "HEAD:hidden"}).substr(0, 40);
    git({"sparse-checkout", "set", "--cone", "--sparse-index", "kept"});
    ASSERT_FALSE(fs::exists(project() / "hidden"));
    ASSERT_TRUE(fs::remove(project() / ".git/objects" / tree.substr(0, 2) / tree.substr(2)));
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"core.repositoryFormatVersion", "1"},
             {"extensions.partialClone", "origin"},
             {"remote.origin.promisor", "true"},
             {"remote.origin.url", "ssh://nowhere.invalid/x"},
             {"core.sshCommand", program().string()}}) {
      git({"config", key, value});
    }
  }

  /// Everything of a configuration that names a program, here and in files that it includes.
  void lay_configuration_traps() {
    write_file(
        project() / ".git/more",
        "[core]\n\tfsmonitor = " + program().string()
            + "\n\thooksPath = hooks\n\tpager = " + program().string() + "\n\teditor = " + program().string()
            + "\n[filter \"x\"]\n\tclean = " + program().string() + "\n\tsmudge = " + program().string()
            + "\n\tprocess = " + program().string() + "\n\trequired = true\n[diff \"x\"]\n\ttextconv = "
            + program().string() + "\n\tcommand = " + program().string() + "\n[alias]\n\tls-files = !"
            + program().string() + "\n");
    append_file(
        project() / ".git/config",
        "[include]\n\tpath = more\n[core]\n\tfsmonitor = " + program().string() + "\n");
    write_file(project() / ".git/info/attributes", "* filter=x diff=x\n");
    write_file(project() / ".git/objects/info/alternates", (root() / "elsewhere/objects").string() + "\n");
    for (const auto* hook :
         {"post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "update"}) {
      write_file(project() / ".git/hooks" / hook, read_file(program()));
      fs::permissions(project() / ".git/hooks" / hook, fs::perms(0755));
    }
  }

  /// What a caller may have in its environment, meant for another git.
  std::map<std::string, std::string> callers_variables() const {
    return {
        {"PATH", (root() / "path").string() + ":" + environment({}).at("PATH")},
        {"GIT_DIR", (root() / "elsewhere").string()},
        {"GIT_WORK_TREE", root().string()},
        {"GIT_INDEX_FILE", (root() / "elsewhere/index").string()},
        {"GIT_SSH_COMMAND", program().string()},
        {"GIT_EXTERNAL_DIFF", program().string()},
        {"GIT_PAGER", program().string()},
        {"GIT_ASKPASS", program().string()},
        {"GIT_CONFIG_COUNT", "1"},
        {"GIT_CONFIG_KEY_0", "core.fsmonitor"},
        {"GIT_CONFIG_VALUE_0", program().string()}};
  }

  /// Plans and applies; what is in /workspace then.
  std::string seeded() {
    RunOptions options{.env = callers_variables()};
    options.timeout = std::chrono::seconds(120);
    expect(0, {"plan"}, options);
    expect(0, {"apply", "--yes"}, options);
    EXPECT_FALSE(fs::exists(canary()))
        << "a program that the checkout or the caller's variables name was run";
    return inside("cd /workspace && find . -type f -not -path './.git/*' | sort | tr '\\n' ' '").out;
  }
};

TEST_F(HostileGit, ASparseIndexWithoutItsTreeRunsNothingAndTheSeedIsRight) {
  lay_sparse_trap();
  git({"ls-files", "--stage"});
  ASSERT_TRUE(fs::exists(canary())) << "the trap does not work: git itself does not run into it";
  fs::remove(canary());
  EXPECT_EQ(seeded(), "./.gitignore ./kept/file ");
}

TEST_F(HostileGit, NothingThatAConfigurationNamesIsRun) {
  lay_configuration_traps();
  git({"status"});
  ASSERT_TRUE(fs::exists(canary())) << "the trap does not work: git itself does not run into it";
  fs::remove(canary());
  write_file(project() / "new", "untracked\n");
  EXPECT_EQ(seeded(), "./.gitignore ./hidden/one ./kept/file ./new ");
}

TEST_F(HostileGit, SplitIndexesAreReadWithoutGit) {
  git({"update-index", "--split-index"});
  write_file(project() / "added", "new\n");
  git({"add", "added"});
  git({"rm", "-q", "hidden/one"});
  lay_configuration_traps();
  fs::remove(canary());
  write_file(project() / "pyro.yaml", read_file(project() / "pyro.yaml") + "# tracked only\n");
  replace_in_file(project() / "pyro.yaml", "seed: {from: .}", "seed: {from: ., git: tracked}");
  EXPECT_EQ(seeded(), "./.gitignore ./added ./kept/file ");
}

TEST_F(HostileGit, WhatIsThereInADirectoryThatASparseIndexLeavesOutIsTaken) {
  lay_sparse_trap();
  fs::remove(canary());
  write_file(project() / "hidden/again", "there\n");
  write_file(project() / "hidden/noise.log", "ignored\n");
  replace_in_file(project() / "pyro.yaml", "seed: {from: .}", "seed: {from: ., git: tracked}");
  EXPECT_EQ(seeded(), "./.gitignore ./hidden/again ./kept/file ");
}

/// git refuses such a checkout ("dubious ownership") since it would obey its configuration; we obey none.
TEST_F(HostileGit, AnotherUsersCheckoutIsReadWhateverTheFormOfItsIndex) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a checkout to another user";
  }
  constexpr uid_t k_nobody = 65534;
  replace_in_file(project() / "pyro.yaml", "seed: {from: .}", "seed: {from: ., git: tracked}");
  write_file(project() / "untracked", "of nobody\n");
  const auto give_to = [&](uid_t owner) {
    EXPECT_EQ(::lchown(project().c_str(), owner, owner), 0);
    for (const auto& entry : fs::recursive_directory_iterator(project())) {
      EXPECT_EQ(::lchown(entry.path().c_str(), owner, owner), 0);
    }
  };
  const auto seed_of_another = [&] {
    give_to(k_nobody);
    EXPECT_EQ(git({"ls-files"}), "") << "git itself reads it: not another user's";
    return seeded();
  };
  EXPECT_EQ(seed_of_another(), "./.gitignore ./hidden/one ./kept/file ") << "plain";
  give_to(0);
  git({"update-index", "--split-index"});
  write_file(project() / "added", "new\n");
  git({"add", "added"});
  EXPECT_EQ(seed_of_another(), "./.gitignore ./added ./hidden/one ./kept/file ") << "split";
  give_to(0);
  git({"update-index", "--no-split-index"});
  git({"commit", "-qm", "y"});
  git({"sparse-checkout", "set", "--cone", "--sparse-index", "kept"});
  EXPECT_EQ(seed_of_another(), "./.gitignore ./added ./kept/file ") << "sparse";
}

TEST_F(HostileGit, WorktreesSubmodulesAndNestedCheckoutsRunNothing) {
  // A worktree's .git is a file that points out of it; so does a submodule's, into the one around it.
  const auto inner = root() / "inner";
  write_file(inner / "deep/file", "inner\n");
  git({"init", "-q"}, inner);
  git({"add", "-A"}, inner);
  git({"commit", "-qm", "x"}, inner);
  git({"submodule", "--quiet", "add", inner.string(), "module"});
  fs::copy(inner, project() / "nested", fs::copy_options::recursive);
  for (const auto& config :
       {project() / ".git/config", project() / ".git/modules/module/config",
        project() / "nested/.git/config"}) {
    append_file(config, "[core]\n\tfsmonitor = " + program().string() + "\n");
  }
  EXPECT_EQ(
      seeded(), "./.gitignore ./.gitmodules ./hidden/one ./kept/file ./module/deep/file ./nested/deep/file ");

  const auto worktree = another_project("worktree");
  fs::remove(worktree);
  git({"worktree", "add", "-q", worktree.string()});
  fs::remove(canary());
  spec("", worktree);
  RunOptions options{.cwd = worktree, .env = callers_variables()};
  expect(0, {"plan"}, options);
  EXPECT_FALSE(fs::exists(canary())) << "a program that the checkout or the caller's variables name was run";
}

} // namespace
} // namespace pyro::testing
