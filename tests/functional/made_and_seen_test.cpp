// What one process has made another finds, also after it has looked for what dead makers left behind.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class MadeAndSeen : public Functional {
protected:
  /// Every command that recovers, each a process of its own.
  void recover() {
    expect(0, {"ls"});
    expect(0, {"workspace", "list"});
    expect(0, {"workspace", "reap"});
    expect(0, {"prune"});
  }

  std::string content_of(const std::string& workspace) {
    return pyro({"-w", workspace, "exec", "--", "cat", "/workspace/word"}).out;
  }

  void prepare(const std::string& services) {
    spec(services);
    write_file(project() / "word", "seed");
    expect(0, {"apply"});
    ASSERT_EQ(inside("printf changed > word").status, 0);
  }
};

constexpr const char* k_service = "services: {sleeper: {command: [sleep, '1000000']}}\n";

TEST_F(MadeAndSeen, AForkOfAWorkspaceWithoutServices) {
  prepare("");
  expect(0, {"fork", "other"});
  recover();
  EXPECT_EQ(content_of("other"), "changed");
}

TEST_F(MadeAndSeen, AForkOfAWorkspaceWithServices) {
  prepare(k_service);
  expect(0, {"fork", "other", "--count", "2"});
  recover();
  EXPECT_EQ(content_of("other-1"), "changed");
  EXPECT_EQ(content_of("other-2"), "changed");
}

TEST_F(MadeAndSeen, AForkOfASnapshot) {
  prepare("");
  expect(0, {"snapshot", "save", "point"});
  recover();
  ASSERT_EQ(inside("printf later > word").status, 0);
  expect(0, {"fork", "other", "--snapshot", "point"});
  recover();
  EXPECT_EQ(content_of("other"), "changed");
}

TEST_F(MadeAndSeen, AWorkspaceByHandAndItsFork) {
  spec();
  write_file(project() / "word", "seed");
  expect(0, {"workspace", "create", "host", "--name", "hand", "--seed-path", project().string()});
  recover();
  expect(0, {"workspace", "fork", "hand", "--name", "other"});
  recover();
  EXPECT_EQ(content_of("hand"), "seed");
  EXPECT_EQ(content_of("other"), "seed");
}

/// Each name that one command prints, as operand of the others.
TEST_F(MadeAndSeen, WhatAListPrintsIsTakenByTheOthers) {
  prepare(std::string(k_service) + "snapshots: {clean: {at: seed}, up: {at: ready}}\n");
  expect(0, {"snapshot", "save", "s1"});
  const auto snapshots = json({"snapshot", "ls"});
  EXPECT_EQ(snapshots["count"], 4);
  for (const auto& listed : snapshots["snapshots"]) {
    const auto name = listed["snapshot_name"].get<std::string>();
    const auto shown = pyro({"snapshot", "show", name, "--json"});
    ASSERT_EQ(shown.status, 0) << shown;
    EXPECT_EQ(parse_json(shown.out, "snapshot"), listed);
    expect(0, {"reset", "--to", name, "--yes"});
    EXPECT_EQ(pyro({"snapshot", "rm", name}).status, name == "baseline" ? 1 : 0) << name;
    EXPECT_EQ(pyro({"snapshot", "show", name}).status, name == "baseline" ? 0 : 1) << name;
  }
  const auto workspaces = json({"ls"});
  for (const auto& listed : workspaces["workspaces"]) {
    for (const auto* key : {"workspace_id", "name"}) {
      const auto which = listed[key].get<std::string>();
      expect(0, {"status", "-w", which});
      expect(0, {"workspace", "status", which});
      expect(0, {"workspace", "summary", which});
    }
  }
  const auto services = json({"workspace", "service", "list", "test"});
  EXPECT_EQ(services["count"], 1);
  for (const auto& listed : services["services"]) {
    const auto name = listed["service_name"].get<std::string>();
    for (const auto* verb : {"status", "logs", "stop"}) {
      expect(0, {"workspace", "service", verb, "test", name});
    }
    expect(0, {"logs", name});
  }
  const auto images = json({"env", "list"});
  for (const auto& listed : images["environments"]) {
    if (listed["installed"].get<bool>()) { // the tests share their cache, also with tests that are over
      expect(0, {"env", "inspect", listed["image"].get<std::string>()});
    }
  }
}

TEST_F(MadeAndSeen, AnImageWhoseLayersAreGoneIsListedAndRemoved) {
  make_busybox_root(project() / "image");
  const auto image = "dir:" + (project() / "image").string();
  const auto is_listed = [&] {
    const auto listed = json({"env", "list"});
    return std::any_of(listed["environments"].begin(), listed["environments"].end(), [&](const auto& one) {
      return one["image"] == image;
    });
  };
  for (const auto* at_last : {"the image is there", "the image is gone too"}) {
    SCOPED_TRACE(at_last);
    expect(0, {"env", "pull", image});
    for (const auto& layer : fs::directory_iterator(state() / "store/layers")) {
      fs::remove_all(layer);
    }
    ASSERT_TRUE(is_listed());
    if (std::string_view(at_last).starts_with("the image is gone")) {
      fs::remove_all(project() / "image");
    }
    expect(0, {"env", "remove", image});
    EXPECT_FALSE(is_listed());
    EXPECT_NE(pyro({"env", "remove", image}).status, 0);
  }
}

TEST_F(MadeAndSeen, WhatWasAdopted) {
  prepare("");
  expect(0, {"fork", "other"});
  expect(0, {"destroy", "--yes", "--snapshots"});
  recover();
  expect(0, {"adopt", "other"});
  recover();
  EXPECT_EQ(inside("cat word").out, "changed");
}

TEST_F(MadeAndSeen, WhatAResetAndItsUndoBringBack) {
  prepare("");
  expect(0, {"reset", "--yes"});
  recover();
  EXPECT_EQ(inside("cat word").out, "seed");
  expect(0, {"undo"});
  recover();
  EXPECT_EQ(inside("cat word").out, "changed");
}

} // namespace
} // namespace pyro::testing
