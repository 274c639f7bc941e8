// Prepare steps with inputs: they see these files of the seed alone, and only these make them run again.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class PrepareInputs : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "image");
    write_file(project() / "seed/lock", "one\n");
    write_file(project() / "seed/parts/a/lock", "a\n");
    write_file(project() / "seed/page", "old\n");
  }

  void file(const std::string& environment = "", const std::string& on_change = "reset") {
    write_file(
        project() / "pyro.yaml",
        fmt::format(
            "version: 1\nname: test\nenvironment: {{image: 'dir:../image'{}}}\n"
            "seed: {{from: seed, on_change: {}}}\n"
            "prepare:\n"
            "  - id: packages\n"
            "    inputs: [lock, parts/*/lock]\n"
            "    run: |\n"
            "      find . -type f | sort > /tmp/seen\n"
            "      mkdir packages parts/a/packages\n"
            "      cat lock parts/a/lock /proc/sys/kernel/random/uuid > packages/made\n"
            "      echo changed > lock\n"
            "  - {{id: make, run: 'cat page packages/made > made'}}\n"
            "snapshots: {{packages: {{at: prepare.packages}}, clean: {{at: prepare}}}}\n",
            environment, on_change));
  }

  Result done(const Arguments& arguments) { return expect(0, arguments, m_trusting); }

  std::string see(const std::string& script) { return inside(script, m_trusting).out; }

  const RunOptions m_trusting{.env = {{"PYRO_TRUST", "1"}}};
};

TEST_F(PrepareInputs, OnlyTheyAreThereAndOnlyTheyCount) {
  file();
  done({"apply"});
  EXPECT_EQ(see("cat /tmp/seen"), "./lock\n./parts/a/lock\n");
  EXPECT_EQ(see("cat lock; ls parts/a"), "one\nlock\npackages\n") << "the seed's own file counts";
  EXPECT_TRUE(contains(done({"plan"}).out, "No changes."));
  const auto packages = see("cat packages/made");
  EXPECT_EQ(see("cat made"), "old\n" + packages);

  write_file(project() / "seed/page", "new\n");
  const auto plan = done({"plan"}).out;
  EXPECT_FALSE(contains(plan, "build    prepare.packages")) << plan;
  done({"apply", "--yes"});
  EXPECT_EQ(see("cat made"), "new\n" + packages) << "the other step ran, this one did not";

  write_file(project() / "seed/parts/a/lock", "b\n");
  done({"apply", "--yes"});
  EXPECT_TRUE(contains(see("cat packages/made"), "one\nb\n"));
  EXPECT_EQ(see("cat made"), "new\n" + see("cat packages/made"));

  done({"reset", "--yes", "--to", "packages"});
  EXPECT_EQ(see("ls; cat lock"), "lock\npackages\nparts\nchanged\n") << "there is no seed at that point";
}

TEST_F(PrepareInputs, TheyBelongToWhoOwnsTheSeed) {
  file();
  done({"apply"});
  if (!has_users(m_trusting)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  file(", user: nobody");
  done({"apply", "--yes"});
  EXPECT_EQ(see("stat -c %U . packages packages/made lock made"), "nobody\nnobody\nnobody\nnobody\nnobody\n");
  EXPECT_EQ(see("cat /tmp/seen lock"), "./lock\n./parts/a/lock\none\n");
}

TEST_F(PrepareInputs, ASyncOfOtherFilesRepeatsNothingAndOneOfTheirsResets) {
  file("", "sync");
  done({"apply"});
  const auto packages = see("cat packages/made");
  write_file(project() / "seed/page", "new\n");
  done({"apply"});
  EXPECT_EQ(see("cat page made"), "new\nold\n" + packages);
  done({"reset", "--yes", "--to", "clean"});
  EXPECT_EQ(see("cat made"), "new\n" + packages) << "only what stands above the seed is made again";
  write_file(project() / "seed/lock", "two\n");
  EXPECT_TRUE(contains(done({"plan"}).out, "reset"));
  done({"apply", "--yes"});
  EXPECT_TRUE(contains(see("cat packages/made"), "two\na\n"));
}

TEST_F(PrepareInputs, AfterAStepThatSeesAllTheyAreRefused) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nenvironment: {image: 'dir:../image'}\nseed: {from: seed}\n"
      "prepare: [{id: make, run: 'true'}, {id: packages, inputs: [lock], run: 'true'}]\n");
  const auto refused = expect(65, {"validate"});
  EXPECT_TRUE(
      contains(refused.all(), "steps with inputs come first") && contains(refused.all(), "prepare.make"))
      << refused;
}

} // namespace
} // namespace pyro::testing
