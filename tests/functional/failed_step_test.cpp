// What a failed step left can be looked at, as the step saw it.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class FailedStep : public Flags {
protected:
  /// A file whose prepare step makes a file and fails.
  void failing() { file("prepare: [{id: build, run: 'echo half > made; exit 7'}]\n"); }

  Result failed(const std::string& script) { return pyro({"exec", "--failed", "--", "sh", "-c", script}); }
};

TEST_F(FailedStep, IsThereAsTheStepHadIt) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:root'}\n"
      "seed: {from: seed, owner: nobody}\nprepare:\n"
      "  - {id: build, run: 'echo half > made; exit 7', env: {WHO: the-step}, user: nobody}\n");
  const auto applied = expect(1, {"apply"});
  EXPECT_TRUE(contains(applied.err, "pyro shell --failed")) << applied;
  EXPECT_EQ(
      failed("cat made first; echo $WHO; id -un; pwd").out, "half\nfirst\nthe-step\nnobody\n/workspace\n");
  EXPECT_EQ(failed("echo more >> made; exit 5").status, 5);
  EXPECT_EQ(failed("cat made").out, "half\nmore\n") << "what is changed in it stays";
  const auto told = expect(0, {"exec", "--json", "--failed", "--", "cat", "made"});
  EXPECT_EQ(parse_json(told.out, "exec")["stdout"], "half\nmore\n");
}

TEST_F(FailedStep, GoesWithTheNextApply) {
  failing();
  expect(1, {"apply"});
  EXPECT_EQ(failed("cat made").status, 0);
  file("prepare:\n  - {id: build, run: 'echo whole > made'}\n");
  expect(0, {"apply"});
  const auto gone = failed("cat made");
  EXPECT_TRUE(gone.status == 125 && contains(gone.err, "no failed step")) << gone;
  EXPECT_EQ(inside("cat made").out, "whole\n");
}

TEST_F(FailedStep, OfSetupHasItsInputs) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment:\n  image: dir:root\n  setup:\n"
      "    - {id: deps, inputs: [first], run: 'cat first > /deps; false'}\nseed: {from: seed}\n");
  expect(1, {"apply"});
  EXPECT_EQ(failed("cat first /deps; pwd").out, "first\nfirst\n/workspace\n");
}

TEST_F(FailedStep, GoesWithPruneAndDestroy) {
  failing();
  expect(1, {"apply"});
  expect(0, {"prune"});
  EXPECT_EQ(failed("true").status, 125);
  file();
  expect(0, {"apply"});
  failing();
  expect(1, {"apply", "--yes"});
  EXPECT_EQ(failed("cat made").out, "half\n");
  EXPECT_EQ(inside("ls").out, "first\n") << "the workspace is as it was";
  expect(0, {"destroy", "--yes"});
  EXPECT_EQ(failed("true").status, 125);
}

TEST_F(FailedStep, IsGivenItsSecretsWhichAreTakenOutOfWhatItSays) {
  const RunOptions options{.env = {{"TOKEN", "s3cr3t-value"}, {"PYRO_TRUST", "1"}}};
  file("secrets: {token: {env: TOKEN}}\nprepare:\n  - {id: build, run: 'false', secrets: [token]}\n");
  expect(1, {"apply"}, options);
  const auto said =
      pyro({"exec", "--failed", "--", "sh", "-c", "wc -c < $TOKEN_FILE; cat $TOKEN_FILE"}, options);
  EXPECT_EQ(said.out, "12\n[redacted:token]") << said;
}

TEST_F(Flags, exec__failed) {
  file("prepare: [{id: build, run: 'echo half > made; false'}]\n");
  expect(1, {"apply"});
  EXPECT_EQ(pyro({"exec", "--", "cat", "made"}).status, 125) << "there is no workspace";
  EXPECT_EQ(expect(0, {"exec", "--failed", "--", "cat", "made"}).out, "half\n");
  EXPECT_EQ(pyro({"-w", "test", "exec", "--failed", "--", "true"}).status, 125);
}

TEST_F(Flags, shell__failed) {
  file("prepare: [{id: build, run: 'echo half > made; false'}]\n");
  expect(1, {"apply"});
  const auto shell = at_a_terminal({"shell", "--failed"});
  shell->type("echo \"it is $(cat made)\"; exit 3\r");
  EXPECT_TRUE(shell->see("it is half")) << shell->seen();
  EXPECT_EQ(shell->status(), 3);
}

void opens_a_shell_in_the_failed_step(Flags& test, const std::string& verb) {
  test.file("prepare: [{id: build, run: 'echo half > made; false'}]\n");
  test.expect(64, {verb, "--debug-shell"});
  const auto applying = test.at_a_terminal({verb, "--debug-shell"});
  EXPECT_TRUE(applying->see("pyro shell --failed")) << applying->seen();
  applying->type("echo \"it is $(cat made)\"; exit 3\r");
  EXPECT_TRUE(applying->see("it is half")) << applying->seen();
  EXPECT_EQ(applying->status(), 1) << "the failure of apply";
}

TEST_F(Flags, apply__debug_shell) {
  opens_a_shell_in_the_failed_step(*this, "apply");
}

TEST_F(Flags, up__debug_shell) {
  opens_a_shell_in_the_failed_step(*this, "up");
}

} // namespace
} // namespace pyro::testing
