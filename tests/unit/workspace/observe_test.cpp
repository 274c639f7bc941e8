// What a plan is told of what is there, and of what was changed in it.
#include "fake_sandboxes.hpp"

#include <pyro/workspace/apply/observe.hpp>
#include <pyro/workspace/state/drift.hpp>

#include <algorithm>

namespace pyro::workspace {
namespace {

class ObserveTest : public FakeSandboxes {
protected:
  plan::Observed look(UseCache use_cache = UseCache::yes) {
    const auto loaded = project();
    const auto resolved = resolve_inputs(*context, loaded, Build::yes);
    const auto ids = context->records.ids();
    const auto now = ids.empty() ? std::nullopt : std::optional(record());
    auto secrets = secrets_of(*context, loaded, now ? now->id : "");
    return observe(*context, loaded, resolved, secrets, now ? &*now : nullptr, {.use_cache = use_cache});
  }

  /// "A /workspace/new.txt", …
  std::vector<std::string> drift(
      const std::vector<std::string>& report = {"/workspace"}, const std::vector<std::string>& ignore = {}) {
    std::vector<std::string> lines;
    for (const auto& entry :
         find_drift(*context, paths(), record(), base_stack_of(record()), {report, ignore})) {
      lines.push_back(std::string(1, entry.change) + " " + entry.path);
    }
    return lines;
  }
};

using Lines = std::vector<std::string>;

TEST_F(ObserveTest, NothingIsThereBeforeTheFirstApply) {
  const auto seen = look();
  EXPECT_FALSE(seen.exists);
  EXPECT_TRUE(seen.cached_keys.empty());
}

TEST_F(ObserveTest, AStartedOneIsSeenAsItWasApplied) {
  apply();
  const auto seen = look();
  EXPECT_TRUE(seen.exists);
  EXPECT_EQ(seen.workspace_id, record().id);
  EXPECT_EQ(seen.state, plan::WorkspaceState::started);
  EXPECT_EQ(seen.backend, "fake");
  EXPECT_EQ(seen.isolation, spec::Isolation::sandbox);
  EXPECT_EQ(seen.applied_spec, record().spec);
  EXPECT_EQ(seen.base_key, record().base.key);
  EXPECT_FALSE(seen.applied_links.empty());
  EXPECT_TRUE(seen.drift.empty());
}

TEST_F(ObserveTest, OneWhoseSandboxDiedIsStopped) {
  apply();
  backend::fake::kill_guest(record().sandbox_pid.value());
  load_and_recover(*context, record().id);
  EXPECT_EQ(look().state, plan::WorkspaceState::stopped);
  EXPECT_EQ(planned(), (Lines{"start workspace"}));
}

TEST_F(ObserveTest, ALayerThatIsGoneIsNotCached) {
  apply();
  const auto all = look().cached_keys;
  EXPECT_FALSE(all.empty());
  EXPECT_TRUE(look(UseCache::no).cached_keys.empty());
  EXPECT_TRUE(look(UseCache::no).build_all);
  context->layers.remove(record().layers.back());
  EXPECT_LT(look().cached_keys.size(), all.size());
  EXPECT_TRUE(look().drift.empty()) << "what cannot be compared is not told as changed";
}

TEST_F(ObserveTest, ADestroyedOneIsNotThere) {
  apply();
  auto workspace = locked();
  workspace.record.destroyed_at = 1;
  context->records.save(workspace.record);
  EXPECT_FALSE(look().exists);
}

TEST_F(ObserveTest, DriftIsWhatWasWrittenSince) {
  apply();
  EXPECT_EQ(drift(), Lines());
  write_inside("/workspace/new.txt", "new\n");
  write_inside("/workspace/a.txt", "changed\n");
  write_inside("/etc/passwd", "changed\n");
  write_inside("/var/log/scratch", "built-in patterns leave it out\n");
  EXPECT_EQ(drift(), (Lines{"M /workspace/a.txt", "A /workspace/new.txt"}));
  auto everywhere = drift({"/"});
  std::sort(everywhere.begin(), everywhere.end());
  EXPECT_EQ(everywhere, (Lines{"A /workspace/new.txt", "M /etc/passwd", "M /workspace/a.txt"}));
  EXPECT_EQ(drift({"/workspace"}, {"*.txt"}), Lines());
  EXPECT_EQ(drift({"/workspace"}, {"new*"}), (Lines{"M /workspace/a.txt"}));
  EXPECT_EQ(look().drift.size(), 3U) << "what the file reports of, by default";
}

TEST_F(ObserveTest, TheSameContentWrittenAgainIsNoDrift) {
  apply();
  write_inside("/workspace/a.txt", "one\n");
  EXPECT_EQ(drift(), Lines());
}

TEST_F(ObserveTest, DriftIsMeasuredFromWhatWasCapturedLast) {
  apply();
  auto changed = record();
  changed.base.layers = std::vector<HexDigest>(changed.layers.begin(), changed.layers.end() - 1); // no seed
  EXPECT_EQ(base_stack_of(changed).layers, *changed.base.layers);
  const auto entries = find_drift(*context, paths(), changed, base_stack_of(changed), {{"/workspace"}, {}});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].path, "/workspace/a.txt");
  EXPECT_EQ(entries[0].change, 'A');
}

} // namespace
} // namespace pyro::workspace
