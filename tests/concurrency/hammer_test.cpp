// One workspace and many processes that use it at once, at random: every call works or fails with an error of
// the contract, and the workspace ends as a model says that is kept beside it.
#include "hammering.hpp"
#include "model.hpp"

#include <pyro/base/json_access.hpp>

#include <iostream>
#include <thread>

namespace pyro::concurrency {
namespace {

constexpr int k_workers = 8;
constexpr double k_longest = 30; // seconds: longer is not busy, but forgotten

class Hammer : public contract::Contract {
protected:
  Content content(const std::string& id) {
    Content found;
    for (int worker = 0; worker < k_workers; ++worker) {
      try {
        const auto read =
            call("workspace_file_read", {{"workspace_id", id}, {"path", "/workspace/" + file_of(worker)}});
        found.files[worker] = read["content"].get<std::string>();
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("does not exist"), std::string::npos) << error.what();
      }
    }
    const auto list = call("workspace_file_list", {{"workspace_id", id}, {"recursive", true}});
    for (const auto& entry : list["entries"]) {
      const fs::path path = entry["path"].get<std::string>();
      if (path.parent_path().filename() == "marks") {
        found.marks.insert(path.filename().string());
      }
    }
    return found;
  }

  Content content_of_snapshot(const std::string& id, const std::string& name) {
    call("workspace_reset", {{"workspace_id", id}, {"snapshot", name}});
    return content(id);
  }

  std::set<std::string> named_snapshots(const std::string& id) {
    std::set<std::string> names;
    const auto list = call("snapshot_list", {{"workspace_id", id}});
    for (const auto& snapshot : list["snapshots"]) {
      names.insert(snapshot["snapshot_name"].get<std::string>());
    }
    names.erase("baseline");
    return names;
  }

  /// Why the workspace cannot be what it is if `reset` (nullptr: none) was the last; empty: it can.
  std::string contradiction(
      const Model& model, const Step* reset, const Content& seen, const Content& restored,
      std::int64_t command_count) {
    for (int worker = 0; worker < k_workers; ++worker) {
      const auto file = seen.files.find(worker);
      const auto text = file == seen.files.end() ? std::nullopt : std::optional(file->second);
      const auto possible = model.file_after(reset, restored, worker);
      if (!possible.contains(text)) {
        std::string options;
        for (const auto& one : possible) {
          options += " " + one.value_or("(none)");
        }
        return fmt::format("file of {} holds {}, not one of{}", worker, text.value_or("(none)"), options);
      }
    }
    const auto [least, most] = model.command_count(seen, restored);
    if (command_count < least || command_count > most) {
      return fmt::format("command_count is {}, not {} to {}", command_count, least, most);
    }
    return {};
  }

  void check_services(const Model& model, const std::vector<Step>& resets, const Json& list) {
    std::map<std::string, std::string> states;
    for (const auto& service : list["services"]) {
      states[service["service_name"].get<std::string>()] = service["state"].get<std::string>();
    }
    if (resets.size() > 1) {
      return; // which was the last is not known
    }
    const auto expected = model.services_after(resets.empty() ? nullptr : &resets.front());
    for (const auto& name : expected.running) {
      EXPECT_EQ(states[name], "running") << name;
    }
    for (const auto& name : expected.unknown) {
      EXPECT_FALSE(states.contains(name)) << name << " outlived a reset";
    }
  }

  void check_files_of(const std::string& id) {
    const auto directory = base() / "workspaces" / id;
    EXPECT_TRUE(testing::eventually([&] {
      int ended = 0;
      for (const auto& entry : fs::directory_iterator(directory / "runtime")) {
        ended += entry.path().filename().string().starts_with("ended-") ? 1 : 0;
      }
      const auto generations = fs::directory_iterator(directory / "gen");
      return ended == 0 && std::distance(begin(generations), end(generations)) <= 2;
    })) << "what resets leave behind piles up";
    EXPECT_FALSE(fs::exists(directory / "journal.json"));
    EXPECT_TRUE(fs::is_empty(base() / "store" / "staging"));
  }
};

TEST_P(Hammer, OneWorkspace) {
  const auto seed = chosen_seed();
  const auto steps = number_of("PYRO_TEST_HAMMER_STEPS", 40);
  const auto id = create_id({{"ttl_seconds", 3600}});
  reopen();
  fs::create_directories(root() / "scratch");
  Crew crew(root() / "log", settings(), seed);
  for (int worker = 0; worker < k_workers; ++worker) {
    crew.send([&](Worker& hand) { Hammering(hand, id, root() / "scratch").run(steps); });
  }
  crew.wait();
  auto all = crew.steps();
  std::map<std::string, int> outcomes;
  for (const auto& step : all) {
    ++outcomes[step.ok() ? step.operation + " ok" : step.operation + " " + std::string(name_of(step.code))];
    EXPECT_EQ(why_unexpected(step), "");
    EXPECT_LT(step.ended - step.began, k_longest) << step.text();
  }
  for (const auto& [outcome, count] : outcomes) {
    std::cout << "  " << count << " " << outcome << "\n";
  }
  const auto longest = std::max_element(all.begin(), all.end(), [](const Step& one, const Step& other) {
    return one.ended - one.began < other.ended - other.began;
  });
  std::cout << fmt::format("  longest: {:.1f} s, {}\n", longest->ended - longest->began, longest->text());
  call("workspace_start", {{"workspace_id", id}});
  const Model model(std::move(all));
  const auto status = call("workspace_status", {{"workspace_id", id}});
  const auto services = call("service_list", {{"workspace_id", id}});
  EXPECT_EQ(status["state"], "started");
  EXPECT_EQ(status["reset_count"], model.reset_count());
  EXPECT_EQ(status["labels"], Json(model.labels()));
  EXPECT_EQ(named_snapshots(id), model.snapshots());
  EXPECT_EQ(model.impossible_reads(), std::vector<std::string>{});
  const auto logs = call("workspace_logs", {{"workspace_id", id}});
  EXPECT_EQ(logs["count"], status["command_count"]);
  check_files_of(id);

  const auto seen = content(id);
  const auto resets = model.last_resets();
  check_services(model, resets, services);
  std::map<std::string, Content> snapshots;
  for (const auto& name : model.snapshots()) {
    snapshots[name] = content_of_snapshot(id, name);
    if (const auto expected = model.file_in_snapshot(name)) {
      const int maker = std::atoi(name.c_str() + 1);
      EXPECT_EQ(snapshots[name].files[maker], *expected) << "in the snapshot " << name;
    }
  }
  const auto count = status["command_count"].get<std::int64_t>();
  std::string why = resets.empty() ? contradiction(model, nullptr, seen, {}, count) : "";
  bool decided = resets.empty();
  for (const auto& reset : resets) {
    const auto to = string_or(reset.parameters, "snapshot", "");
    if (to != "baseline" && !snapshots.contains(to)) {
      continue; // deleted since: what was in it is not known
    }
    const auto against =
        contradiction(model, &reset, seen, to == "baseline" ? Content{} : snapshots[to], count);
    if (against.empty()) {
      why.clear();
      decided = true;
      break;
    }
    why += against + "\n";
  }
  EXPECT_EQ(why, "") << "after " << resets.size() << " resets that may have been the last";
  std::cout << "  " << (decided ? "decided" : "undecided") << "\n";
}

/// Everybody deletes and uses it at once: one deletes it, the others are told so.
TEST_P(Hammer, OneWorkspaceDeleted) {
  const auto seed = chosen_seed();
  for (int round = 0; round < number_of("PYRO_TEST_HAMMER_ROUNDS", 4); ++round) {
    const auto id = create_id();
    output(id, "echo 1 > file");
    reopen();
    Crew crew(root() / fmt::format("log-{}", round), settings(), seed + static_cast<unsigned>(round) * 100);
    const auto start = now() + 0.3;
    for (int worker = 0; worker < k_workers; ++worker) {
      crew.send([&](Worker& hand) {
        std::this_thread::sleep_for(std::chrono::duration<double>(start - now()));
        const Json where{{"workspace_id", id}};
        const auto with = [&](Json more) {
          more.update(where);
          return more;
        };
        for (int step = 0; step < 12; ++step) {
          switch (hand.throw_dice(step < 4 ? 9 : 10)) {
          case 0:
            hand.call("workspace_diff", where);
            break;
          case 1:
            hand.call("snapshot_create", with({{"snapshot_name", fmt::format("s{}-{}", worker, step)}}));
            break;
          case 2:
            hand.call("workspace_reset", where);
            break;
          case 3:
            hand.call("workspace_status", where);
            break;
          case 4:
            hand.call("workspace_file_write", with({{"path", "/workspace/file"}, {"content", "2"}}));
            break;
          case 5:
            hand.call("service_start", with({{"service_name", "s"}, {"command", "sleep 100"}}));
            break;
          case 6:
            hand.call("snapshot_list", where);
            break;
          case 7:
            hand.call("workspace_list", Json::object());
            break;
          case 8:
            hand.call("workspace_exec", with({{"command", "echo 3 > file"}}));
            break;
          default:
            hand.call("workspace_delete", where);
          }
        }
        hand.call("workspace_delete", where);
      });
    }
    crew.wait();
    int deleted = 0;
    for (const auto& step : crew.steps()) {
      EXPECT_EQ(why_unexpected(step), "");
      EXPECT_LT(step.ended - step.began, k_longest) << step.text();
      deleted += step.ok() && step.operation == "workspace_delete" ? 1 : 0;
    }
    EXPECT_EQ(deleted, 1);
    fails("workspace_status", {{"workspace_id", id}}, ErrorCode::not_found, "does not exist");
    EXPECT_FALSE(fs::exists(base() / "workspaces" / id));
    EXPECT_TRUE(testing::eventually([&] { return fs::is_empty(base() / "store" / "staging"); }));
  }
}

INSTANTIATE_TEST_SUITE_P(On, Hammer, ::testing::Values("namespaces"), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::concurrency
