// The file is found from below its directory, as git finds a repository.
#include "flags.hpp"

#include <unistd.h>

namespace pyro::testing {
namespace {

class ProjectSearch : public Flags {
protected:
  void SetUp() override {
    Flags::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    file();
    fs::create_directories(below());
  }

  fs::path below() const { return project() / "src/deep"; }

  RunOptions from_below() const { return {.cwd = below()}; }
};

TEST_F(ProjectSearch, TheNearestAboveIsUsedAndNamed) {
  const auto applied = expect(0, {"apply"}, from_below());
  EXPECT_TRUE(contains(applied.err, "using ../../pyro.yaml")) << applied;
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "first"}, from_below()).out, "first\n");
  EXPECT_EQ(json({"status"})["workspace_id"], json({"status"}, from_below())["workspace_id"]);
  EXPECT_FALSE(contains(expect(0, {"status"}).err, "using")) << "it is here";
  EXPECT_EQ(expect(0, {"-q", "status"}, from_below()).err, "");
  expect(0, {"plan", "--detailed-exitcode"}, from_below()); // it is the same workspace
}

TEST_F(ProjectSearch, TheOneOfThisDirectoryComesFirst) {
  write_file(below() / "pyro.yaml", "versoin: 1\n");
  EXPECT_TRUE(contains(expect(65, {"validate"}, from_below()).all(), "versoin"));
}

TEST_F(ProjectSearch, WhoNamesAPlaceGetsThatAlone) {
  EXPECT_EQ(pyro({"validate", "-C", "."}, from_below()).status, 66);
  EXPECT_EQ(pyro({"validate", "-f", "pyro.yaml"}, from_below()).status, 66);
  expect(0, {"init"}, from_below());
  EXPECT_TRUE(fs::exists(below() / "pyro.yaml"));
}

TEST_F(ProjectSearch, GoesNoFurtherThanTheHomeDirectory) {
  auto options = from_below();
  options.env["HOME"] = (project() / "src").string();
  EXPECT_EQ(pyro({"validate"}, options).status, 66);
  options.env["HOME"] = project().string();
  expect(0, {"validate"}, options);
}

TEST_F(ProjectSearch, WhatBelongsToAnotherIsRefused) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  for (const auto& given_away : {project() / "pyro.yaml", project()}) {
    ASSERT_EQ(::chown(given_away.c_str(), 12345, 12345), 0);
    const auto refused = expect(77, {"apply"}, from_below());
    EXPECT_TRUE(contains(refused.err, given_away.string()) && contains(refused.err, "12345")) << refused;
    expect(0, {"validate", "-C", "../.."}, from_below());
    ASSERT_EQ(::chown(given_away.c_str(), 0, 0), 0);
  }
}

} // namespace
} // namespace pyro::testing
