// seed.on_change: sync where steps or services stand above the seed: files are brought in at once, and the
// snapshots that this makes outdated are made again when they are used, in a sandbox of their own.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class SeedSyncPrepared : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "image");
    write_file(project() / "seed/page", "old\n");
  }

  /// The step notes in its cache, which is outside, that it ran.
  void file(
      const std::string& more = "snapshots: {clean: {at: prepare}, bare: {at: seed}}\n",
      const std::string& on_change = "sync", const std::string& run = "cat page > made") {
    write_file(
        project() / "pyro.yaml",
        fmt::format(
            "version: 1\nname: test\nenvironment: {{image: 'dir:../image'}}\nseed: {{from: seed, on_change: "
            "{}}}\n"
            "prepare: [{{id: make, run: 'echo ran >> /count/log; {}', cache: [/count]}}]\n{}",
            on_change, run, more));
  }

  int runs() const {
    int count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(state() / "caches")) {
      if (entry.path().filename() == "log") {
        const auto text = read_file(entry.path());
        count += static_cast<int>(std::count(text.begin(), text.end(), '\n'));
      }
    }
    return count;
  }

  void edit(const std::string& text) { write_file(project() / "seed/page", text + "\n"); }

  Result done(const Arguments& arguments) { return expect(0, arguments, m_trusting); }

  std::string see(const std::string& script) { return inside(script, m_trusting).out; }

  bool is_outdated(const std::string& name) {
    const auto listed = json({"snapshot", "ls"}, m_trusting);
    for (const auto& snapshot : listed.at("snapshots")) {
      if (snapshot.at("snapshot_name") == name) {
        return snapshot.at("outdated").get<bool>();
      }
    }
    ADD_FAILURE() << "there is no snapshot " << name;
    return false;
  }

  void synced(const std::string& more = "snapshots: {clean: {at: prepare}, bare: {at: seed}}\n") {
    file(more);
    done({"apply"});
    edit("new");
    done({"apply"});
    ASSERT_EQ(see("cat page made"), "new\nold\n");
    ASSERT_EQ(runs(), 1) << "an edit waits for no step";
  }

  const RunOptions m_trusting{.env = {{"PYRO_TRUST", "1"}}};
  static constexpr const char* k_apart = "in a separate sandbox";
  static constexpr const char* k_note = "out of date since the seed was synced";
};

TEST_F(SeedSyncPrepared, AnEditWaitsForNoStepAndThePlanSaysWhatIsOutOfDate) {
  file();
  done({"apply"});
  edit("new");
  const auto plan = done({"plan"});
  EXPECT_TRUE(contains(plan.out, k_note) && contains(plan.out, "sync the seed")) << plan;
  EXPECT_TRUE(contains(plan.out, "Out of date until used: snapshots.clean.")) << plan;
  EXPECT_FALSE(contains(plan.out, k_apart)) << plan;
  done({"apply"});
  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(see("cat page made"), "new\nold\n");
  EXPECT_TRUE(is_outdated("clean"));
  EXPECT_FALSE(is_outdated("bare")) << "taking it costs nothing";
  EXPECT_TRUE(contains(done({"status"}).out, "out of date"));

  const auto again = done({"plan", "--detailed-exitcode"});
  EXPECT_TRUE(contains(again.out, "No changes. Out of date until used: snapshots.clean.")) << again;
  EXPECT_TRUE(json({"plan"}, m_trusting).at("plan").at("empty").get<bool>());
  EXPECT_TRUE(contains(done({"why", "snapshots.clean"}).out, k_note));
  const auto applied = done({"apply", "--detailed-exitcode"});
  EXPECT_TRUE(contains(applied.all(), k_note)) << applied;
  EXPECT_EQ(runs(), 1);
  edit("newer");
  done({"apply"});
  edit("old");
  done({"apply"});
  EXPECT_FALSE(is_outdated("clean")) << "it is of this seed";
  EXPECT_EQ(done({"plan"}).out.find(k_note), std::string::npos);
  EXPECT_EQ(runs(), 1);
}

TEST_F(SeedSyncPrepared, AResetGoesToWhatTheSyncedSeedMakes) {
  synced();
  EXPECT_EQ(see("echo mine > mine; ls"), "made\nmine\npage\n");
  edit("not applied yet");
  const auto reset = done({"reset", "--yes", "--to", "clean"});
  EXPECT_TRUE(contains(reset.err, k_note) && contains(reset.err, k_apart)) << reset;
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(see("cat page made; ls"), "new\nnew\nmade\npage\n");
  EXPECT_FALSE(is_outdated("clean"));
  edit("new");
  EXPECT_TRUE(contains(done({"plan"}).out, "No changes.\n"));
  done({"reset", "--yes"});
  EXPECT_EQ(runs(), 2) << "it is there now";
  done({"undo"});
  EXPECT_EQ(see("cat page made"), "new\nnew\n");
  edit("newer");
  done({"apply"});
  EXPECT_EQ(see("cat page made"), "newer\nnew\n");
  done({"reset", "--yes"});
  EXPECT_EQ(see("cat page made"), "newer\nnewer\n") << "the deepest snapshot is the default";
  EXPECT_EQ(runs(), 3);
  done({"undo"});
  EXPECT_EQ(see("cat page made"), "newer\nnew\n");
  EXPECT_EQ(done({"plan"}).out.find("reset"), std::string::npos);
}

TEST_F(SeedSyncPrepared, ForksAndExportsAreOfTheSyncedSeed) {
  synced();
  const auto fork = done({"fork", "other", "--snapshot", "clean"});
  EXPECT_TRUE(contains(fork.err, k_apart)) << fork;
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(done({"exec", "-w", "other", "--", "cat", "page", "made"}).out, "new\nnew\n");
  EXPECT_EQ(see("cat page made"), "new\nold\n") << "the workspace goes on";
  EXPECT_FALSE(is_outdated("clean"));
  edit("newer");
  done({"apply"});
  done({"snapshot", "export", "clean", (root() / "out").string()});
  EXPECT_EQ(runs(), 3);
  EXPECT_FALSE(is_outdated("clean"));
  done({"reset", "--yes", "--to", "clean"});
  EXPECT_EQ(see("cat page made"), "newer\nnewer\n");
  EXPECT_EQ(runs(), 3);
}

TEST_F(SeedSyncPrepared, ADryRunSaysWhatIsMadeAgainFirstAndRefusesAlike) {
  synced();
  const std::vector<Arguments> uses{{"fork", "other", "--snapshot", "clean"}, {"reset", "--to", "clean"}};
  const auto dry = [](Arguments words) {
    words.emplace_back("--dry-run");
    return words;
  };
  for (const auto& use : uses) {
    const auto plan = json(dry(use), m_trusting).at("plan").at("actions");
    ASSERT_EQ(plan.size(), 3U) << plan;
    EXPECT_EQ(plan[0].at("address"), "prepare.make");
    EXPECT_EQ(plan[0].at("action"), "rebuild");
    EXPECT_EQ(plan[1].at("address"), "snapshots.clean");
    EXPECT_EQ(plan[1].at("action"), "retake");
    const auto text = done(dry(use)).out;
    EXPECT_TRUE(contains(text, "snapshots.clean is asked for, in a separate sandbox")) << text;
  }
  EXPECT_EQ(runs(), 1);
  EXPECT_TRUE(is_outdated("clean"));
  file("snapshots: {clean: {at: prepare}, bare: {at: seed}}\n", "sync", "cat page > other");
  for (const auto& use : uses) {
    const auto refused = expect(1, use, m_trusting).err;
    EXPECT_TRUE(contains(refused, "has changed since the last apply")) << refused;
    EXPECT_EQ(expect(1, dry(use), m_trusting).err, refused);
  }
}

TEST_F(SeedSyncPrepared, APointWithServicesIsMadeAgainToo) {
  const std::string services =
      "services: {web: {command: 'cat made > seen; echo up >> starts; exec sleep 1000', "
      "readiness: {file: seen}}}\nsnapshots: {warm: {at: ready}, clean: {at: prepare}}\n";
  synced(services);
  EXPECT_TRUE(is_outdated("warm"));
  EXPECT_EQ(see("cat seen starts"), "old\nup\n") << "nothing is started again";
  const auto reset = done({"reset", "--yes"});
  EXPECT_TRUE(contains(reset.err, k_apart)) << reset;
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(see("cat page made seen"), "new\nnew\nnew\n");
  EXPECT_TRUE(contains(done({"plan"}).out, "No changes.\n"));
  replace_in_file(project() / "pyro.yaml", "sleep 1000", "sleep 1001");
  edit("newer");
  const auto plan = done({"plan"}).out;
  EXPECT_TRUE(contains(plan, "retake at ready") && contains(plan, k_apart))
      << plan << "the file changed as well";
  EXPECT_LT(plan.find("sync the seed"), plan.find("prepare.make")) << plan;
  done({"apply"});
  EXPECT_EQ(runs(), 3);
  EXPECT_FALSE(is_outdated("warm"));
  EXPECT_EQ(see("cat page made"), "newer\nnew\n");
}

TEST_F(SeedSyncPrepared, WhatTheFileAsksForAnewIsMadeAfterTheFilesAreIn) {
  synced();
  edit("newer");
  file("snapshots: {clean: {at: prepare}, bare: {at: seed}, more: {at: prepare}}\n");
  const auto plan = done({"plan"}).out;
  EXPECT_TRUE(contains(plan, k_apart)) << plan;
  EXPECT_LT(plan.find("sync the seed"), plan.find(k_apart)) << plan;
  done({"apply"});
  EXPECT_EQ(runs(), 2);
  EXPECT_FALSE(is_outdated("more"));
  EXPECT_EQ(see("cat page made"), "newer\nold\n");
  done({"reset", "--yes", "--to", "clean"});
  EXPECT_EQ(see("cat page made"), "newer\nnewer\n");
  EXPECT_EQ(runs(), 2);
}

TEST_F(SeedSyncPrepared, AnotherPolicyMakesItAtOnce) {
  synced();
  EXPECT_EQ(see("echo mine > mine; ls"), "made\nmine\npage\n");
  file("snapshots: {clean: {at: prepare}, bare: {at: seed}}\n", "keep");
  edit("left out");
  EXPECT_TRUE(contains(done({"apply"}).all(), k_note));
  EXPECT_EQ(runs(), 1);
  done({"fork", "other", "--snapshot", "clean"});
  EXPECT_EQ(done({"exec", "-w", "other", "--", "cat", "page", "made"}).out, "new\nnew\n");
  edit("new");
  file();
  edit("newer");
  done({"apply"});
  EXPECT_EQ(runs(), 2);
  file("snapshots: {clean: {at: prepare}, bare: {at: seed}}\n", "reset");
  EXPECT_TRUE(contains(done({"apply"}).err, k_apart));
  EXPECT_EQ(runs(), 3);
  EXPECT_FALSE(is_outdated("clean"));
  EXPECT_EQ(see("ls"), "made\nmine\npage\n") << "the workspace is of this seed already";
}

TEST_F(SeedSyncPrepared, WhatCannotBeMadeLeavesTheWorkspaceAsItIs) {
  file("snapshots: {clean: {at: prepare}}\n", "sync", "grep -q good page; cp page made");
  edit("good");
  done({"apply"});
  edit("bad");
  done({"apply"});
  EXPECT_EQ(see("echo mine > mine; cat page made"), "bad\ngood\n");
  const auto failed = pyro({"reset", "--yes"}, m_trusting);
  EXPECT_NE(failed.status, 0);
  EXPECT_TRUE(contains(failed.all(), "make")) << failed;
  EXPECT_EQ(see("cat page made mine"), "bad\ngood\nmine\n");
  EXPECT_TRUE(is_outdated("clean"));
  replace_in_file(project() / "pyro.yaml", "cp page made", "cp page made2");
  const auto refused = pyro({"reset", "--yes"}, m_trusting);
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_TRUE(
      contains(refused.all(), "has changed since the last apply") && contains(refused.all(), "pyro apply"))
      << refused;
  EXPECT_EQ(see("cat page made mine"), "bad\ngood\nmine\n");
  done({"reset", "--yes", "--to", "baseline"});
  EXPECT_EQ(see("cat page made; ls"), "bad\ngood\nmade\npage\n");
}

TEST_F(SeedSyncPrepared, KilledAnywhereNothingOldIsTakenForNew) {
  file();
  done({"apply"});
  int round = 0;
  for (const auto* place :
       {"sync.done", "sync.baseline", "sync.recorded", "build.ran", "snapshot.recorded"}) {
    const auto text = fmt::format("round {}", ++round);
    edit(text);
    RunOptions options = m_trusting;
    options.env["PYRO_CRASH_AT"] = place;
    if (pyro({"apply"}, options).status == 0 && !contains(place, ".ran") && !contains(place, "snapshot")) {
      GTEST_SKIP() << "built without places to be killed at";
    }
    done({"apply"});
    pyro({"reset", "--yes", "--to", "clean"}, options);
    done({"reset", "--yes", "--to", "clean"});
    EXPECT_EQ(see("cat page made"), text + "\n" + text + "\n") << place;
    EXPECT_TRUE(contains(done({"plan"}).out, "No changes.\n")) << place;
  }
}

} // namespace
} // namespace pyro::testing
