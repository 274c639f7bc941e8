// What one process has made another finds, also after it has looked for what dead makers left behind.
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
