// Several pyros at once: nobody builds what another one is just building, and nobody waits for a question
// that stands on somebody's terminal.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class AtOnce : public Flags {
protected:
  /// A step that says in a cache of the machine that it ran, and ends once it is let go.
  void slow_file(const fs::path& directory) {
    file("", directory);
    write_file(
        directory / "pyro.yaml",
        "version: 1\nname: test\nenvironment:\n  image: 'dir:" + (project() / "root").string()
            + "'\n  setup:\n    - id: slow\n      egress: none\n      cache: [{path: /shared, share: "
              "machine}]\n"
              "      run: 'echo ran >> /shared/runs; until [ -e /shared/go ]; do sleep 0.1; done'\n"
              "seed: {from: seed}\n");
  }

  /// Where that cache lies, once it is there.
  fs::path shared() const { return cache_with("runs"); }

  struct Two {
    os::Child first;
    std::unique_ptr<OnATerminal> second;
  };

  /// Two applies of projects with the same step: the first is at it, the second has said that it waits.
  Two one_builds_one_waits() {
    const RunOptions trusting{.env = {{"PYRO_TRUST", "1"}}};
    const auto other = another_project("other");
    slow_file(project());
    slow_file(other);
    auto first = start({"apply"}, trusting);
    EXPECT_TRUE(eventually([&] { return !shared().empty(); }));
    auto second = std::make_unique<OnATerminal>(
        Arguments{(bin / "pyro").string(), "apply"}, environment(trusting), other);
    EXPECT_TRUE(second->see("waiting for an apply that builds environment.setup.slow")) << second->seen();
    return {std::move(first), std::move(second)};
  }

  void let_go() { touch(shared() / "go"); }
};

TEST_F(AtOnce, TheSameStepIsBuiltOnce) {
  auto [first, second] = one_builds_one_waits();
  let_go();
  EXPECT_EQ(first.wait().shell_status(), 0);
  EXPECT_EQ(second->status(), 0) << second->seen();
  EXPECT_EQ(read_file(shared() / "runs"), "ran\n");
}

TEST_F(AtOnce, WhoWaitsGoesOnWhereTheOtherOneDies) {
  auto [first, second] = one_builds_one_waits();
  first.signal(SIGKILL);
  first.wait();
  EXPECT_TRUE(eventually([&] { return read_file(shared() / "runs") == "ran\nran\n"; }));
  let_go();
  EXPECT_EQ(second->status(), 0) << second->seen();
}

TEST_F(AtOnce, AQuestionHoldsNobodyUp) {
  file();
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "echo mine > one"});
  write_file(project() / "seed/first", "second\n");
  const auto terminal = at_a_terminal({"apply"});
  ASSERT_TRUE(terminal->see("Apply this? [y/N]")) << terminal->seen();
  for (const Arguments& words :
       {Arguments{"snapshot", "save", "meanwhile"}, Arguments{"prune"}, Arguments{"stop"},
        Arguments{"start"}}) {
    auto with_little_patience = words;
    with_little_patience.insert(with_little_patience.end(), {"--lock-timeout", "1s"});
    expect(0, with_little_patience);
  }
  terminal->type("n\n");
  EXPECT_EQ(terminal->status(), 7);
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "one"}).out, "mine\n");
}

TEST_F(AtOnce, WhatWasAgreedToIsLookedAtAgain) {
  file();
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "echo mine > one"});
  write_file(project() / "seed/first", "second\n");
  const auto terminal = at_a_terminal({"apply"});
  ASSERT_TRUE(terminal->see("Apply this? [y/N]")) << terminal->seen();
  expect(0, {"exec", "--", "sh", "-c", "echo mine > another"});
  terminal->type("y\n");
  ASSERT_TRUE(terminal->see("another") && terminal->see("Apply this? [y/N]")) << terminal->seen();
  terminal->type("y\n");
  EXPECT_EQ(terminal->status(), 0) << terminal->seen();
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "first"}).out, "second\n");
}

TEST_F(AtOnce, AResetForGoodAndADestroyHoldNobodyUpEither) {
  file("reset: {undo: 0s}\n");
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "echo mine > one"});
  for (const Arguments& words : {Arguments{"reset"}, Arguments{"destroy", "--snapshots"}}) {
    const auto terminal = at_a_terminal(words);
    ASSERT_TRUE(terminal->see("Go on? [y/N]")) << terminal->seen();
    expect(0, {"stop", "--lock-timeout", "1s"});
    expect(0, {"start", "--lock-timeout", "1s"});
    terminal->type("n\n");
    EXPECT_EQ(terminal->status(), 7) << terminal->seen();
  }
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "one"}).out, "mine\n");
}

} // namespace
} // namespace pyro::testing
