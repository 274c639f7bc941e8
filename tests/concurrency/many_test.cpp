// Several workspaces at once with garbage collection beside them, and processes that are killed now and then:
// no layer in use vanishes, and whatever was reported as done is there.
#include "crew.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/records.hpp>

#include <iostream>
#include <thread>

namespace pyro::concurrency {
namespace {

constexpr int k_workspaces = 3;
constexpr int k_workers_each = 5;

class Many : public contract::Contract {
protected:
  /// One random call on one of the workspaces; snapshots are named after their maker.
  static void step(Worker& worker, const std::vector<std::string>& ids, int number, std::string& snapshot) {
    const auto id = ids[static_cast<std::size_t>(worker.throw_dice(k_workspaces))];
    const auto with = [&](Json more) {
      more["workspace_id"] = id;
      return more;
    };
    const auto name = fmt::format("s{}-{}", worker.number(), number);
    switch (worker.throw_dice(11)) {
    case 0:
    case 1:
    case 2:
      worker.call("workspace_exec", with({{"command", fmt::format("echo {} > {}", name, name)}}));
      break;
    case 3:
    case 4:
      if (worker.call("snapshot_create", with({{"snapshot_name", name}})).is_object()) {
        snapshot = id + name;
      }
      break;
    case 5:
      if (snapshot.starts_with(id)) {
        worker.call("snapshot_delete", with({{"snapshot_name", snapshot.substr(id.size())}}));
        snapshot.clear();
      }
      break;
    case 6:
      if (snapshot.starts_with(id)) {
        worker.call("workspace_reset", with({{"snapshot", snapshot.substr(id.size())}}));
        break;
      }
      [[fallthrough]];
    case 7:
      worker.call("workspace_reset", with(Json::object()));
      break;
    case 8:
      worker.call("workspace_diff", with(Json::object()));
      break;
    case 9: {
      const auto made = worker.call("workspace_fork", with({{"ttl_seconds", 600}}));
      if (made.is_object()) {
        const auto fork = made["workspaces"][0]["workspace_id"];
        worker.call("workspace_exec", {{"workspace_id", fork}, {"command", "echo fork > fork; cat fork"}});
        worker.call("workspace_delete", {{"workspace_id", fork}});
      }
      break;
    }
    default: {
      worker.call("workspace_list", Json::object());
      worker.call("env_list", Json::object());
    }
    }
  }

  /// All that is not in use goes, however young it is.
  void collect() {
    store::GcOptions options;
    options.min_age = std::chrono::seconds(0);
    options.recipes = {0, std::chrono::seconds(0), std::nullopt};
    options.lock_timeout = std::chrono::seconds(5);
    try {
      const auto report = store::collect_garbage(store::Base(base().string()), options);
      std::ignore = report;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::locked) {
        throw;
      }
    }
  }

  void check_layers() {
    const store::Base where(base().string());
    const store::LayerStore layers(where);
    const store::WorkspaceRecords records(where);
    for (const auto& record : records.list()) {
      auto used = record.layers;
      if (record.undo) {
        used.insert(used.end(), record.undo->layers.begin(), record.undo->layers.end());
      }
      if (records.has_snapshots(record.id)) {
        for (const auto& snapshot : records.snapshots(record.id)) {
          used.insert(used.end(), snapshot.layers.begin(), snapshot.layers.end());
        }
      }
      for (const auto& layer : used) {
        EXPECT_TRUE(layers.find(layer)) << "layer " << layer << " of workspace " << record.id << " is gone";
      }
    }
  }

  /// Snapshots that must be there, and that may be.
  struct Expected {
    std::set<std::string> certain;
    std::set<std::string> possible;
  };

  static Expected expected_snapshots(const std::vector<Step>& steps, const std::string& id) {
    Expected expected;
    for (const auto& step : steps) {
      if (string_or(step.parameters, "workspace_id", "") != id) {
        continue;
      }
      const auto name = string_or(step.parameters, "snapshot_name", "");
      if (step.operation == "snapshot_create" && !step.failed()) {
        expected.possible.insert(name);
        if (step.ok()) {
          expected.certain.insert(name);
        }
      } else if (step.operation == "snapshot_delete" && !step.failed()) {
        expected.certain.erase(name);
        if (step.ok()) {
          expected.possible.erase(name);
        }
      }
    }
    return expected;
  }

  void check_snapshots(const std::vector<Step>& steps, const std::string& id) {
    const auto expected = expected_snapshots(steps, id);
    std::set<std::string> found;
    const auto list = call("snapshot_list", {{"workspace_id", id}});
    for (const auto& snapshot : list["snapshots"]) {
      found.insert(snapshot["snapshot_name"].get<std::string>());
    }
    EXPECT_EQ(found.erase("baseline"), 1U);
    for (const auto& name : expected.certain) {
      EXPECT_TRUE(found.contains(name)) << name << " was reported as made and is not there";
    }
    for (const auto& name : found) {
      EXPECT_TRUE(expected.possible.contains(name)) << name << " should be gone";
      call("workspace_reset", {{"workspace_id", id}, {"snapshot", name}});
      output(id, "ls > /dev/null");
    }
  }
};

TEST_P(Many, WorkspacesWithGarbageCollectionAndKills) {
  const auto seed = chosen_seed();
  const auto seconds = number_of("PYRO_TEST_MANY_SECONDS", 12);
  std::vector<std::string> ids;
  for (int number = 0; number < k_workspaces; ++number) {
    const auto seed_tree = tree(fmt::format("seed-{}", number), {{"seeded", std::to_string(number)}});
    ids.push_back(create_id({{"ttl_seconds", 3600}, {"seed_path", seed_tree.string()}}));
  }
  reopen();
  Crew crew(root() / "log", settings(), seed);
  const auto until = now() + seconds;
  const auto work = [&](Worker& worker) {
    std::string snapshot;
    for (int number = 0; now() < until; ++number) {
      step(worker, ids, number, snapshot);
    }
  };
  const auto image = environment();
  crew.send([&](Worker& worker) {
    while (now() < until) {
      collect();
      worker.call("prune", Json::object());
      worker.call("env_prune", Json::object());
      const auto made =
          worker.call("workspace_create", {{"environment", image}}); // what was pruned is made again
      if (made.is_object()) {
        worker.call("workspace_delete", {{"workspace_id", made["workspace_id"]}});
      }
    }
  });
  std::vector<pid_t> workers;
  for (int number = 0; number < k_workers_each; ++number) {
    workers.push_back(crew.send(work));
  }
  std::mt19937 dice(seed);
  int kills = 0;
  while (now() < until - 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(50, 700)(dice)));
    auto& victim = workers[std::uniform_int_distribution<std::size_t>(0, workers.size() - 1)(dice)];
    if (crew.kill(victim)) {
      ++kills;
      victim = crew.send(work);
    }
  }
  crew.wait();
  const auto steps = crew.steps();
  std::cout << "  " << steps.size() << " calls, " << kills << " kills\n";
  for (const auto& step : steps) {
    EXPECT_EQ(why_unexpected(step), "");
  }
  for (const auto& id : ids) {
    call("workspace_start", {{"workspace_id", id}});
    check_snapshots(steps, id);
    call("workspace_reset", {{"workspace_id", id}});
    EXPECT_EQ(call("workspace_diff", {{"workspace_id", id}})["changed"], false);
    EXPECT_NE(output(id, "cat seeded"), "");
  }
  check_layers();
}

INSTANTIATE_TEST_SUITE_P(On, Many, ::testing::Values("namespaces"), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::concurrency
