#include "../../support/files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>
#include <pyro/spec/parse.hpp>
#include <pyro/workspace/first_file.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {
namespace {

namespace fs = std::filesystem;

class FirstFile : public ::testing::Test {
protected:
  void SetUp() override { fs::create_directories(directory()); }

  void TearDown() override { fs::remove_all(m_root); }

  std::string directory() const { return (m_root / "My Shop_2").string(); }

  void file(const std::string& name, const std::string& text = "") {
    fs::create_directories((fs::path(directory()) / name).parent_path());
    testing::write_file(fs::path(directory()) / name, text);
  }

  void git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-C", directory()});
    EXPECT_TRUE(os::run({.argv = arguments}).outcome.ok());
  }

  /// Of what is there now; valid.
  std::string text() const {
    const auto made = first_file(look_at_checkout(directory(), ""), "shop");
    const auto result = spec::parse_spec(made);
    for (const auto& diagnostic : result.diagnostics) {
      ADD_FAILURE() << spec::to_string(diagnostic) << "\n" << made;
    }
    EXPECT_TRUE(result.ok()) << made;
    return made;
  }

  bool says(const std::string& line) const { return text().find(line) != std::string::npos; }

  fs::path m_root = fs::temp_directory_path() / ("pyro-init-" + std::to_string(::getpid()));
};

TEST_F(FirstFile, OfEveryKindIsValid) {
  for (const auto* kind : {"cmake", "node", "python", "go", "rust", "static", "generic"}) {
    for (const bool is_missing : {false, true}) {
      auto look = look_at_checkout(directory(), kind);
      look.missing = is_missing ? std::vector<std::string>{"tool"} : std::vector<std::string>{};
      const auto made = first_file(look, "shop");
      const auto result = spec::parse_spec(made);
      for (const auto& diagnostic : result.diagnostics) {
        ADD_FAILURE() << kind << ": " << spec::to_string(diagnostic) << "\n" << made;
      }
      EXPECT_TRUE(result.ok()) << kind;
      EXPECT_EQ(made.find("image: host ") == std::string::npos, is_missing) << made;
    }
  }
}

TEST_F(FirstFile, LockFilesAreInputs) {
  file("package.json", "{}");
  EXPECT_TRUE(says("inputs: [package.json]")) << text();
  EXPECT_TRUE(says("run: npm install\n"));
  file("package-lock.json", "{}");
  EXPECT_TRUE(says("inputs: [package.json, package-lock.json]")) << text();
  EXPECT_TRUE(says("run: npm ci\n"));
  fs::remove(fs::path(directory()) / "package-lock.json");
  file("yarn.lock");
  EXPECT_TRUE(says("run: yarn install --frozen-lockfile\n")) << text();
}

TEST_F(FirstFile, ABuildScriptIsRun) {
  file("package.json", "{\"scripts\": {\"test\": \"true\"}}");
  EXPECT_FALSE(says("npm run build"));
  file("package.json", "{\"scripts\": {\"build\": \"true\"}}");
  EXPECT_TRUE(says("  - {id: build, run: npm run build}")) << text();
  file("package.json", "no JSON");
  EXPECT_FALSE(says("npm run build"));
}

TEST_F(FirstFile, WhatGitTracksIsNotLeftOut) {
  file("package.json", "{}");
  EXPECT_TRUE(says("exclude: [node_modules/, dist/]")) << text();
  file("dist/app.js");
  git({"init", "-q"});
  EXPECT_TRUE(says("exclude: [node_modules/, dist/]")) << text();
  git({"add", "dist/app.js"});
  EXPECT_TRUE(says("exclude: [node_modules/]")) << text();
}

TEST_F(FirstFile, OfADirectoryBelowTheTop) {
  git({"init", "-q"});
  file("web/package.json", "{}");
  file("web/dist/app.js");
  git({"add", "."});
  EXPECT_EQ(look_at_checkout(directory() + "/web", "").tracked, (std::set<std::string>{"dist/"}));
}

TEST_F(FirstFile, RequirementsAndPages) {
  file("index.html");
  EXPECT_TRUE(says("\nservices:")) << text();
  file("requirements.txt");
  EXPECT_TRUE(says("pip install -r requirements.txt")) << text();
  EXPECT_FALSE(says("\nservices:"));
}

TEST_F(FirstFile, IsWrittenOnceAndNeverOver) {
  file("go.mod", "module x\n");
  Project project;
  project.directory = directory();
  const auto written = write_first_file(project, "");
  EXPECT_EQ(written["name"], "my-shop-2");
  EXPECT_EQ(written["kind"], "go");
  const auto before = testing::read_file(fs::path(directory()) / "pyro.yaml");
  EXPECT_NE(before.find("go mod download"), std::string::npos);
  EXPECT_THROW(write_first_file(project, "rust"), Error);
  EXPECT_EQ(testing::read_file(fs::path(directory()) / "pyro.yaml"), before);
}

} // namespace
} // namespace pyro::workspace
