// A plan says which file, input, variable or other action is behind each change, and `why` follows that to
// its beginning.
#include "flags.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class WhyItIsDone : public Flags {
protected:
  Json plan(const Arguments& flags = {}) {
    Arguments words{"plan"};
    words.insert(words.end(), flags.begin(), flags.end());
    return json(words)["plan"];
  }

  Json action(const std::string& address, const Arguments& flags = {}) {
    const auto actions = plan(flags)["actions"];
    for (const auto& action : actions) {
      if (action["address"] == address) {
        return action;
      }
    }
    ADD_FAILURE() << "no action at " << address;
    return {};
  }

  void commit_all() {
    for (const auto& words : {Arguments{"git", "init", "-q"}, {"git", "add", "seed"}}) {
      const auto done = command(words);
      ASSERT_EQ(done.status, 0) << done;
    }
  }

  std::string why(const std::string& address) { return expect(0, {"why", address}).out; }
};

TEST_F(WhyItIsDone, AChangedSeedNamesItsFilesAndWhetherGitHasThem) {
  write_file(project() / "seed/a.txt", "one\n");
  write_file(project() / "seed/gone/old.txt", "old\n");
  commit_all();
  file();
  expect(0, {"apply"});
  write_file(project() / "seed/a.txt", "two\n");
  fs::remove_all(project() / "seed/gone");
  for (int i = 1; i <= 7; ++i) {
    write_file(project() / "seed" / ("new" + std::to_string(i) + ".txt"), "new\n");
  }
  const auto seed = action("seed")["reason"];
  EXPECT_EQ(seed["files"]["modified"], 1);
  EXPECT_EQ(seed["files"]["added"], 7);
  EXPECT_EQ(seed["files"]["deleted"], 1);
  const auto& named = seed["files"]["named"];
  ASSERT_EQ(named.size(), 7U) << named;
  EXPECT_EQ(named[0], (Json{{"path", "a.txt"}, {"change", "M"}, {"in_git", true}}));
  EXPECT_EQ(named[1], (Json{{"path", "new1.txt"}, {"change", "A"}, {"in_git", false}}));
  EXPECT_EQ(seed["file"], "pyro.yaml");
  EXPECT_GT(seed["line"], 0);
  const auto text = expect(0, {"plan"}).out;
  for (const auto* part :
       {"1 file modified, 7 added, 1 deleted", "M a.txt", "A new1.txt (not in git)", "and 2 more",
        "D gone"}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
  EXPECT_EQ(action("workspace")["reason"]["cause"], "seed");
  expect(0, {"apply"});

  // The same where the layer of that seed was there already, and so no seed was copied.
  write_file(project() / "seed/a.txt", "one\n");
  expect(0, {"apply"});
  write_file(project() / "seed/a.txt", "two\n");
  expect(0, {"apply"});
  write_file(project() / "seed/b.txt", "b\n");
  EXPECT_TRUE(contains(expect(0, {"plan"}).out, "A b.txt (not in git)"));
}

TEST_F(WhyItIsDone, WhatIsThrownAwaySaysWhetherGitHasIt) {
  write_file(project() / "seed/a.txt", "one\n");
  write_file(project() / "seed/b.txt", "one\n");
  commit_all();
  write_file(project() / "seed/a.txt", "two\n");
  file();
  expect(0, {"apply"});
  ASSERT_EQ(inside("echo one > a.txt; echo mine > b.txt; echo mine > c.txt").status, 0);
  write_file(project() / "seed/d.txt", "new\n");
  const auto discards = action("workspace")["discards"];
  ASSERT_EQ(discards.size(), 3U) << discards;
  EXPECT_EQ(discards[0]["in_git"], true) << "it is what was added to git: " << discards;
  EXPECT_EQ(discards[1]["in_git"], false) << "git has another b.txt: " << discards;
  EXPECT_EQ(discards[2]["in_git"], false);
  EXPECT_TRUE(contains(expect(0, {"plan"}).out, "git has 1 of them"));
}

TEST_F(WhyItIsDone, AStepNamesEachInputThatChangedAndItsFile) {
  write_file(project() / "seed/lock/one.txt", "one\n");
  file("prepare:\n  - {id: first, inputs: [lock], run: 'echo a', env: {A: one}}\n"
       "  - {id: then, run: echo b}\n");
  expect(0, {"apply"});
  write_file(project() / "seed/lock/one.txt", "two\n");
  file("prepare:\n  - {id: first, inputs: [lock], run: 'echo c', env: {A: two}}\n"
       "  - {id: then, run: echo b}\n");
  const auto first = action("prepare.first")["reason"];
  EXPECT_EQ(joined(first["inputs"], "name"), "run env.A input lock") << first;
  EXPECT_EQ(first["inputs"][1]["before"], "one");
  EXPECT_GT(first["inputs"][1]["line"], 0);
  EXPECT_EQ(first["files"]["named"][0]["path"], "lock/one.txt");
  EXPECT_TRUE(contains(expect(0, {"plan"}).out, "run changed, also env.A, lock"));
  EXPECT_EQ(action("prepare.then")["reason"]["code"], "parent_changed");
}

TEST_F(WhyItIsDone, AnInputNamesItsFilesHoweverItIsWritten) {
  const auto with_inputs = [&](const std::string& written) {
    file("prepare:\n  - {id: first, inputs: ['" + written + "'], run: 'true'}\n");
  };
  for (const auto* written :
       {"lock/one.txt", "./lock/one.txt", ".", "./", "lock/", ".//lock/./", "lock/*", "**"}) {
    SCOPED_TRACE(written);
    write_file(project() / "seed/lock/one.txt", "one\n");
    with_inputs(written);
    expect(0, {"apply", "--allow", "reset"});
    write_file(project() / "seed/lock/one.txt", "two\n");
    const auto reason = action("prepare.first")["reason"];
    ASSERT_TRUE(reason.contains("files")) << reason;
    EXPECT_EQ(reason["files"]["named"][0]["path"], "lock/one.txt");
    EXPECT_TRUE(contains(why("prepare.first"), "lock/one.txt")) << why("prepare.first");
  }
}

TEST_F(WhyItIsDone, AVariableAndAProfileAreNamed) {
  const std::string body = "vars: {word: {default: one}}\nservices:\n"
                           "  talker: {command: [sleep, '1000'], env: {WORD: '${word}'}}\n"
                           "profiles: {loud: {services: {talker: {env: {LOUD: 'yes'}}}}}\n";
  file(body);
  expect(0, {"apply"});
  const auto by_variable = action("services.talker", {"--var", "word=two"})["reason"];
  EXPECT_EQ(by_variable["origin"]["kind"], "variable") << by_variable;
  EXPECT_EQ(by_variable["origin"]["name"], "word");
  EXPECT_EQ(by_variable["origin"]["before"], "one");
  EXPECT_EQ(by_variable["origin"]["after"], "two");
  EXPECT_GT(by_variable["origin"]["line"], 0);
  EXPECT_TRUE(contains(expect(0, {"plan", "--var", "word=two"}).out, "(variable word)"));
  const auto by_profile = action("services.talker", {"--profile", "loud"})["reason"];
  EXPECT_EQ(by_profile["origin"]["kind"], "profile") << by_profile;
  EXPECT_EQ(by_profile["origin"]["after"], "loud");
  // An edit of the file is neither.
  auto edited = body;
  edited.replace(edited.find("'1000'"), 6, "'2000'");
  file(edited);
  EXPECT_FALSE(action("services.talker")["reason"].contains("origin"));
}

TEST_F(WhyItIsDone, WhyFollowsTheChainToItsBeginning) {
  write_file(project() / "seed/a.txt", "one\n");
  file("services:\n  web: {command: [sleep, '1000']}\n");
  expect(0, {"apply"});
  write_file(project() / "seed/a.txt", "two\n");
  const auto answer = json({"why", "services.web"});
  EXPECT_EQ(joined(answer["chain"], "address"), "services.web workspace seed");
  const auto text = why("services.web");
  EXPECT_TRUE(contains(text, "with the workspace")) << text;
  EXPECT_TRUE(contains(text, "M a.txt")) << text;
}

TEST_F(WhyItIsDone, WhyExplainsWhatIsNotDone) {
  file("labels: {team: web}\nservices:\n  web: {command: [sleep, '1000']}\nsnapshots: {clean: {at: seed}}\n");
  expect(0, {"apply"});
  for (const auto* address :
       {"workspace", "services.web", "snapshots.clean", "seed", "environment", "labels.team"}) {
    EXPECT_TRUE(contains(why(address), "unchanged\n  because it ")) << why(address);
  }
  EXPECT_TRUE(contains(why("services.web.command"), "a part of services.web"));
  const auto refused = expect(64, {"why", "services.wep"});
  EXPECT_TRUE(contains(refused.err, "did you mean 'services.web'?")) << refused;
}

TEST_F(WhyItIsDone, WhyExplainsACacheMissByTheLastBuildOfTheStep) {
  file("prepare:\n  - {id: step, run: echo one}\n");
  expect(0, {"apply"});
  const auto other = another_project("other");
  file("prepare:\n  - {id: step, run: echo two}\n", other);
  const auto answer = json({"why", "prepare.step"}, {.cwd = other});
  EXPECT_EQ(answer["cached"], false);
  EXPECT_EQ(answer["nearest_build"]["workspace"], "test") << answer;
  EXPECT_EQ(joined(answer["nearest_build"]["differing"], "name"), "run") << answer;
}

TEST_F(WhyItIsDone, CostsAreToldAlsoOfStepsThatAreBuiltAlready) {
  file("prepare:\n  - {id: step, run: sleep 0.2}\nservices:\n  web: {command: [sleep, '1000']}\n");
  expect(0, {"apply"});
  EXPECT_GE(action("prepare.step")["cost_ms"], 200);
  EXPECT_EQ(plan()["cost_ms"], 0);
  expect(0, {"destroy", "--yes"});
  EXPECT_GE(action("prepare.step")["cost_ms"], 200);
}

} // namespace
} // namespace pyro::testing
