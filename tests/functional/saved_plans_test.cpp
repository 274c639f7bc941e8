// A plan that was kept is carried out as it was shown, or not at all.
#include "flags.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class SavedPlans : public Flags {
protected:
  void SetUp() override {
    Flags::SetUp();
    write_file(project() / "seed/a.txt", "one\n");
  }

  std::string save(const std::string& name = "kept.plan") {
    expect(0, {"plan", "--out", name});
    return name;
  }

  void is_stale(const std::string& plan) {
    const auto refused = expect(4, {"apply", plan});
    EXPECT_NE(refused.err.find("pyro plan"), std::string::npos) << refused;
  }

  std::string inside() { return expect(0, {"exec", "--", "cat", "/workspace/a.txt"}).out; }
};

TEST_F(SavedPlans, AFirstOneIsCarriedOutOnce) {
  file();
  const auto first = save();
  expect(0, {"apply", first});
  EXPECT_EQ(inside(), "one\n");
  is_stale(first);
}

TEST_F(SavedPlans, WhatItDiscardsWasSeenAndIsNotAskedFor) {
  file();
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "echo mine > /workspace/mine.txt"});
  write_file(project() / "seed/a.txt", "two\n");
  expect(7, {"apply"});
  expect(0, {"apply", save()});
  EXPECT_EQ(inside(), "two\n");
}

TEST_F(SavedPlans, IsStaleAfterAnyChange) {
  file("services:\n  one: {command: [sleep, '1000']}\n");
  expect(0, {"apply"});
  write_file(project() / "seed/a.txt", "two\n");
  const auto before_the_seed = save("seed.plan");
  write_file(project() / "seed/a.txt", "three\n");
  is_stale(before_the_seed);

  const auto before_the_edit = save("edit.plan");
  expect(0, {"exec", "--", "sh", "-c", "echo mine > /workspace/mine.txt"});
  is_stale(before_the_edit);

  const auto before_the_file = save("file.plan");
  file("services:\n  one: {command: [sleep, '2000']}\n");
  is_stale(before_the_file);

  const auto before_the_apply = save("apply.plan");
  expect(0, {"apply", "--yes"});
  is_stale(before_the_apply);

  EXPECT_EQ(inside(), "three\n");
  const auto before_the_end = save("end.plan");
  expect(0, {"destroy", "--yes"});
  is_stale(before_the_end);
}

TEST_F(SavedPlans, OneForNoWorkspaceIsStaleWhereThereIsOne) {
  file();
  const auto first = save();
  expect(0, {"apply"});
  is_stale(first);
}

TEST_F(SavedPlans, WhatIsNoneIsAnInvalidFile) {
  file();
  for (const auto* text : {"{}", "[]", "# a page", "", R"({"format_version": 1, "plan_id": 2})"}) {
    write_file(project() / "none.plan", text);
    const auto refused = expect(65, {"apply", "none.plan"});
    EXPECT_NE(refused.err.find("none.plan is no plan"), std::string::npos) << refused;
  }
  expect(66, {"apply", "missing.plan"});
  expect(64, {"apply", "--no-cache", save()});
  EXPECT_TRUE(workspace_ids().empty());
}

TEST_F(Flags, plan__out) {
  file();
  expect(0, {"plan"});
  EXPECT_FALSE(fs::exists(project() / "kept.plan"));
  expect(0, {"plan", "--out", "kept.plan"});
  const auto plan = Json::parse(read_file(project() / "kept.plan"));
  EXPECT_EQ(plan.at("plan_id"), json({"plan"}).at("plan").at("plan_id"));
}

} // namespace
} // namespace pyro::testing
