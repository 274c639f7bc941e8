// The same again and again: nothing piles up, on the machine or on disk.
#include "../support/leftovers.hpp"
#include "crew.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/store/gc.hpp>

#include <iostream>
#include <thread>

namespace pyro::concurrency {
namespace {

std::size_t entries_in(const fs::path& directory) {
  std::error_code gone;
  fs::directory_iterator begin(directory, gone);
  return gone ? 0 : static_cast<std::size_t>(std::distance(begin, fs::directory_iterator{}));
}

class Soak : public contract::Contract {
protected:
  std::int64_t supervisor_of(const std::string& id) {
    return call("workspace_status", {{"workspace_id", id}})["supervisor_pid"].get<std::int64_t>();
  }

  std::size_t descriptors_of(std::int64_t pid) { return entries_in(fmt::format("/proc/{}/fd", pid)); }

  /// What there is of everything a sandbox is made of.
  std::map<std::string, std::size_t> counts(const std::set<std::string>& ids) {
    store::GcOptions everything;
    everything.min_age = std::chrono::seconds(0);
    everything.recipes.min_age = std::chrono::seconds(0);
    std::ignore = store::collect_garbage(store::Base(base().string()), everything);
    const auto usage = store::store_usage(store::Base(base().string()));
    return {
        {"our own descriptors", entries_in("/proc/self/fd")},
        {"mounts", testing::mounts_naming(base().string()).size()},
        {"cgroups", testing::cgroups_naming(ids).size()},
        {"processes", testing::processes_naming(base().string()).size()},
        {"processes in cgroups", testing::processes_in_groups_of(ids).size()},
        {"workspaces", entries_in(base() / "workspaces")},
        {"staging", entries_in(base() / "store" / "staging")},
        {"locks", entries_in(base() / "locks")},
        {"layers", usage.layers},
        {"layer bytes", usage.layer_bytes},
        {"recipes", usage.recipes}};
  }

  /// Once nothing cleans up in the background any more.
  std::map<std::string, std::size_t> settled_counts(const std::set<std::string>& ids) {
    auto found = counts(ids);
    testing::eventually([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      return std::exchange(found, counts(ids)) == found;
    });
    return found;
  }
};

TEST_P(Soak, CyclesLeaveNothing) {
  const auto cycles = number_of("PYRO_TEST_SOAK_CYCLES", 30);
  const auto kept = create_id({{"ttl_seconds", 3600}});
  std::set<std::string> ids{kept};
  const auto cycle = [&] {
    const auto id = create_id();
    ids.insert(id);
    output(id, "echo one > file; dd if=/dev/zero of=big bs=64k count=4 2>/dev/null; touch -d @0 file big .");
    call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "s"}});
    call("service_start", {{"workspace_id", id}, {"service_name", "x"}, {"command", "exec sleep 1000"}});
    output(id, "echo two > file");
    call("workspace_reset", {{"workspace_id", id}, {"snapshot", "s"}});
    EXPECT_EQ(output(id, "cat file"), "one\n");
    call("workspace_delete", {{"workspace_id", id}});
    // And on one that stays: what its supervisor opens it closes.
    output(kept, "echo again > file");
    call("service_start", {{"workspace_id", kept}, {"service_name", "y"}, {"command", "exec sleep 1000"}});
    call("workspace_file_write", {{"workspace_id", kept}, {"path", "/workspace/b"}, {"content", "b"}});
    call("workspace_diff", {{"workspace_id", kept}});
    const auto shell = call("shell_open", {{"workspace_id", kept}});
    call("shell_close", {{"workspace_id", kept}, {"shell_id", shell["shell_id"]}});
    call("service_stop", {{"workspace_id", kept}, {"service_name", "y"}});
  };
  cycle(); // whatever is made once is there now
  const auto supervisor = supervisor_of(kept);
  const auto agent = call("workspace_status", {{"workspace_id", kept}})["sandbox_pid"].get<std::int64_t>();
  const auto before = settled_counts(ids);
  const auto of_supervisor = descriptors_of(supervisor);
  const auto of_agent = descriptors_of(agent);
  for (int number = 0; number < cycles; ++number) {
    cycle();
  }
  EXPECT_EQ(settled_counts(ids), before);
  EXPECT_EQ(supervisor_of(kept), supervisor);
  EXPECT_TRUE(testing::eventually([&] { return descriptors_of(supervisor) <= of_supervisor; }))
      << descriptors_of(supervisor) << " of the supervisor, and " << of_supervisor << " before";
  EXPECT_TRUE(testing::eventually([&] { return descriptors_of(agent) <= of_agent; }))
      << descriptors_of(agent) << " of the agent, and " << of_agent << " before";
  std::cout << "  after " << cycles << " cycles:";
  for (const auto& [what, count] : before) {
    std::cout << " " << count << " " << what << ",";
  }
  std::cout << " " << of_supervisor << " descriptors of the supervisor\n";
}

/// A reset does not wait until the kernel has taken the old sandbox apart: whatever follows at once is right.
TEST_P(Soak, ResetUndoStopInQuickSuccession) {
  const auto id = create_id();
  const Json where{{"workspace_id", id}};
  const Json by_name{{"workspace", id}};
  output(id, "echo start > file");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "s"}});
  const auto busy = "(while :; do echo x >> /workspace/noise; done) > /dev/null 2>&1 & ";
  for (int round = 0; round < number_of("PYRO_TEST_SOAK_ROUNDS", 8); ++round) {
    const auto text = fmt::format("round {}\n", round);
    output(id, busy + fmt::format("sleep 1000 > /dev/null 2>&1 & echo round {} > file", round));
    call("workspace_reset", {{"workspace_id", id}, {"snapshot", "s"}});
    EXPECT_EQ(output(id, "cat file; ls"), "start\nfile\n");
    call("undo", by_name);
    EXPECT_EQ(output(id, "cat file; ls"), text + "file\nnoise\n");
    const auto noise = output(id, "wc -l < noise");
    EXPECT_EQ(output(id, "wc -l < noise"), noise) << "the old sandbox writes into the new one";
    call("workspace_reset", {{"workspace_id", id}, {"snapshot", "s"}});
    call("undo", by_name);
    EXPECT_EQ(output(id, "cat file"), text);
    call("undo", by_name);
    EXPECT_EQ(output(id, "cat file; ls"), "start\nfile\n");
    call("workspace_reset", where);
    call("workspace_reset", where);
    call("workspace_stop", where);
    EXPECT_TRUE(testing::processes_in_groups_of({id}).empty());
    EXPECT_TRUE(testing::cgroups_naming({id}).empty()) << "a stop waits for what resets have left";
    call("workspace_start", where);
    EXPECT_EQ(output(id, "ls"), "");
    call("workspace_reset", {{"workspace_id", id}, {"snapshot", "s"}});
  }
  const auto runtime = base() / "workspaces" / id / "runtime";
  EXPECT_TRUE(testing::eventually([&] {
    for (const auto& entry : fs::directory_iterator(runtime)) {
      if (entry.path().filename().string().starts_with("ended-")) {
        return false;
      }
    }
    return entries_in(base() / "workspaces" / id / "gen") <= 2 && testing::cgroups_naming({id}).size() <= 4;
  })) << entries_in(base() / "workspaces" / id / "gen")
      << " generations";
}

INSTANTIATE_TEST_SUITE_P(On, Soak, ::testing::Values("namespaces"), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::concurrency
