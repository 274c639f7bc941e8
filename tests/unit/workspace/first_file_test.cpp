#include "../../support/files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>
#include <pyro/spec/parse.hpp>
#include <pyro/workspace/first_file.hpp>
#include <pyro/workspace/python_requirements.hpp>

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
  ASSERT_GE(project_kinds().size(), 8U);
  for (const auto& kind : project_kinds()) {
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
  EXPECT_FALSE(says("npm install\n")) << "there is nothing to install";
  file("package.json", R"({"devDependencies": {"left-pad": "1"}})");
  EXPECT_TRUE(says("inputs: [package.json]")) << text();
  EXPECT_TRUE(says("run: npm install && "));
  file("package-lock.json", "{}");
  EXPECT_TRUE(says("inputs: [package.json, package-lock.json]")) << text();
  EXPECT_TRUE(says("run: npm ci && "));
  fs::remove(fs::path(directory()) / "package-lock.json");
  file("yarn.lock");
  EXPECT_TRUE(says("yarn install --frozen-lockfile && ")) << text();
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
  EXPECT_EQ(look_at_checkout(directory() + "/web", "").outputs, (std::vector<std::string>{"node_modules/"}));
}

/// They expect sources, and only what lists the dependencies is there.
TEST_F(FirstFile, InstallScriptsOfTheProjectWaitForItsSources) {
  file("package.json", R"({"dependencies": {"left-pad": "1"}, "scripts": {"prepare": "tsc"}})");
  EXPECT_TRUE(says("run: npm pkg delete scripts && npm install && ")) << text();
}

TEST_F(FirstFile, PagesAreServed) {
  file("index.html");
  EXPECT_TRUE(says("\nservices:")) << text();
  EXPECT_TRUE(says("http.server"));
}

TEST_F(FirstFile, RequirementsAreDebiansPackagesWhereTheseAreEnough) {
  file("requirements.txt", "Flask >= 2.2, <3  # the web\n\nPyYAML\n");
  EXPECT_TRUE(says("install -y --no-install-recommends python3 python3-flask python3-yaml && ")) << text();
  EXPECT_TRUE(says("    #     python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r "
                   "requirements.txt\n"))
      << text();
  file("requirements.txt", "Flask>=3\nPyYAML\n");
  EXPECT_TRUE(says("\n        python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r "
                   "requirements.txt\n"))
      << text();
  EXPECT_TRUE(says("    PATH: /opt/venv/bin:"));
  EXPECT_TRUE(says("# not in Debian 12: Flask>=3\n")) << text();
  EXPECT_FALSE(says("python3-yaml"));
}

TEST_F(FirstFile, WhatAStrangersFileListsIsNoCommand) {
  file(
      "pyproject.toml", "[project]\ndependencies = [\"x'; touch /tmp/here; '\", \"y\\n    - id: z\", 'a\"b: "
                        "#{c', \"nope>=1\"]\n");
  const auto made = text();
  EXPECT_EQ(made.find("touch /tmp"), std::string::npos) << made;
  EXPECT_EQ(made.find("id: z"), std::string::npos) << made;
  EXPECT_NE(made.find("pip install --no-cache-dir 'nope>=1'\n"), std::string::npos) << made;
}

TEST_F(FirstFile, DatabasesAreThoseOfTheDependencies) {
  struct Case {
    const char* name;
    const char* text;
    bool has_redis;
    bool has_postgresql;
  };

  for (const auto& [name, content, has_redis, has_postgresql] : {
           Case{"package.json", R"({"dependencies": {"ioredis": "5", "pg": "8"}})", true, true},
           Case{"package.json", R"({"dependencies": {"redistribute": "5", "pgp": "8"}})", false, false},
           Case{"requirements.txt", "redis==4.3.4\n", true, false},
           Case{"requirements.txt", "psycopg[binary]>=3\n", false, true},
           Case{"go.mod", "module x\n\nrequire (\n\tgithub.com/redis/go-redis/v9 v9.0.5\n)\n", true, false},
           Case{"go.mod", "module x\n\nrequire github.com/jackc/pgx/v5 v5.4.0 // indirect\n", false, true},
           Case{
               "Cargo.toml", "[package]\nname = \"redis\"\n[dependencies]\ntokio-postgres = \"0.7\"\n", false,
               true},
           Case{"Cargo.toml", "[dependencies.redis]\nversion = \"0.23\"\n", true, false},
           Case{"compose.yaml", "services:\n  db:\n    image: docker.io/library/postgres:15\n", false, true},
           Case{
               "docker-compose.yml", "services:\n  a: {build: .}\n  b:\n    image: \"redis:7-alpine\"\n",
               true, false},
       }) {
    file(name, content);
    EXPECT_EQ(says("\n    command: redis-server "), has_redis) << name << ": " << content << text();
    EXPECT_EQ(says("\n  postgresql:"), has_postgresql) << name << ": " << content << text();
    EXPECT_EQ(
        says("image: debian:12 "), has_postgresql || look_at_checkout(directory(), "").missing.size() > 0);
    fs::remove(fs::path(directory()) / name);
  }
}

TEST_F(FirstFile, MigrationsOfSqlRunOnce) {
  file("requirements.txt", "psycopg2\n");
  EXPECT_TRUE(says("  # migrate:\n")) << text();
  file("migrations/001_first.sql");
  EXPECT_TRUE(says("\n  migrate:\n    oneshot: {per: content}\n    command: for file in migrations/*.sql"))
      << text();
  file("migrations/env.py");
  EXPECT_TRUE(says("  # migrate:\n")) << "a tool's, whose command nobody knows";
}

/// A step with a cache is not shared by the checkouts of a machine, and the second one would build all anew.
TEST_F(FirstFile, StepsAreOfAllCheckouts) {
  for (const auto& kind : project_kinds()) {
    auto look = look_at_checkout(directory(), kind);
    look.missing = {"tool"};
    look.has_dependencies = true;
    look.databases = {{Database::Kind::redis, "x"}, {Database::Kind::postgresql, "x"}};
    const auto made = first_file(look, "shop");
    EXPECT_TRUE(spec::parse_spec(made).ok()) << made;
    EXPECT_EQ(made.find("cache:"), std::string::npos) << made;
  }
}

TEST_F(FirstFile, TestsAreFound) {
  const auto test = [&] {
    return look_at_checkout(directory(), "").test;
  };
  EXPECT_EQ(test(), "");
  file("test.sh", "#!/bin/bash\n");
  EXPECT_EQ(test(), "bash test.sh");
  file("tests/test_x.py", "import unittest\n");
  EXPECT_EQ(test(), "python3 -m unittest discover -s tests");
  file("tests/test_x.py", "import pytest\n");
  EXPECT_EQ(test(), "python3 -m pytest");
  file("tests/x.bats");
  EXPECT_EQ(test(), "bats tests");
  file("Makefile", "all:\n");
  EXPECT_EQ(test(), "bats tests");
  file("Makefile", "all:\n\ncheck: all\n");
  EXPECT_EQ(test(), "make check");
  file("Cargo.toml");
  EXPECT_EQ(test(), "cargo test");
  file("go.mod");
  EXPECT_EQ(test(), "go test ./...");
  file("package.json", R"({"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}})");
  EXPECT_EQ(test(), "bats tests");
  file("package.json", R"({"scripts": {"test": "node --test"}})");
  EXPECT_EQ(test(), "npm test");
  file("CMakeLists.txt", "enable_testing()\n");
  EXPECT_EQ(test(), "ctest --test-dir build --output-on-failure");
  EXPECT_TRUE(says("# Its tests, then: pyro exec -- ctest ")) << text();
}

/// Whoever looks at them must not go as deep as they are long.
TEST_F(FirstFile, EndlessLinesAreNoDependencies) {
  for (const auto* name : {"requirements.txt", "go.mod", "Cargo.toml", "compose.yaml", "pyproject.toml"}) {
    file(
        name, std::string(1 << 19, 'a') + "\n" + std::string(1 << 18, '[')
                  + "\nimage: " + std::string(1 << 18, 'x'));
  }
  for (const auto& kind : project_kinds()) {
    EXPECT_TRUE(look_at_checkout(directory(), kind).databases.empty());
  }
  file("package.json", std::string(1 << 18, '['));
  EXPECT_FALSE(look_at_checkout(directory(), "").has_dependencies);
}

TEST_F(FirstFile, IsWrittenOnceAndNeverOver) {
  file("go.mod", "module x\n\nrequire example.org/y v1.2.3\n");
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

TEST(PythonRequirements, AreFulfilledByDebianOrNot) {
  for (const auto& [requirement, package] : std::vector<std::pair<const char*, const char*>>{
           {"flask", "python3-flask"},
           {" Flask == 2.2.2 ", "python3-flask"},
           {"flask==2.2.*", "python3-flask"},
           {"flask==2.2.20", ""},
           {"flask~=2.1", "python3-flask"},
           {"flask~=2.1.0", ""},
           {"flask>=2,!=2.2.2", ""},
           {"flask>2.2,<=2.2.2.0", "python3-flask"},
           {"flask<2.2.2", ""},
           {"flask[async]", ""},
           {"flask; python_version < '3'", ""},
           {"flask @ https://example.org/flask.whl", ""},
           {"flask>=2.2.2rc1", ""},
           {"psycopg2-binary", "python3-psycopg2"},
           {"Python_DateUtil", "python3-dateutil"},
           {"no-such-package", ""},
           {"", ""}}) {
    EXPECT_EQ(debian_package_of(requirement).value_or(""), package) << requirement;
  }
  EXPECT_EQ(requirement_name("Flask_Login[x]>=0.6"), "flask-login");
  EXPECT_EQ(requirement_name("-r more.txt"), "");
}

} // namespace
} // namespace pyro::workspace
