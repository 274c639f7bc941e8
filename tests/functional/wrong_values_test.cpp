// Values that only the operation behind a flag can refuse are wrong usage too (those that no command takes
// are in unit_cli), and what cannot be read is told as that.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <unistd.h>

namespace pyro::testing {
namespace {

class WrongValues : public Functional {
protected:
  void project_file() {
    make_busybox_root(project() / "image");
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: .}\n");
  }
};

TEST_F(WrongValues, OutOfRangeIsWrongUsage) {
  project_file();
  expect(0, {"apply"});
  const auto id = *workspace_ids().begin();
  const std::vector<Arguments> lines{
      {"fork", "x", "--count", "0"},
      {"fork", "x", "--count", "1001"},
      {"fork", "x", "--ttl-seconds", "1"},
      {"workspace", "create", "dir:./image", "--mem-mib", "0"},
      {"workspace", "create", "dir:./image", "--mem-mib", "4294968320"}, // 1024 in 32 bits
      {"workspace", "create", "dir:./image", "--vcpu-count", "0"},
      {"workspace", "create", "dir:./image", "--vcpu-count", "4294967297"},
      {"workspace", "create", "dir:./image", "--ttl-seconds", "99999999999999"},
      {"workspace", "create", "dir:./image", "--backend", "banana"},
      {"workspace", "create", "dir:./image", "--name", "a b"},
      {"vm", "create", "dir:./image", "--mem-mib", "0"},
      {"run", "dir:./image", "--mem-mib", "0", "--", "true"},
      {"run", "dir:./image", "--timeout-seconds", "0", "--", "true"},
      {"workspace", "shell", "open", id, "--cols", "0"},
      {"workspace", "shell", "open", id, "--rows", "99999"},
      {"workspace", "service", "start", id, "q", "--ready-timeout-seconds", "0", "--", "true"},
      {"workspace", "service", "start", id, "q", "--ready-interval-ms", "0", "--", "true"},
      {"workspace", "service", "start", id, "q", "--ready-tcp", "banana", "--", "true"},
      {"workspace", "service", "start", id, "q", "--ready-http", "banana", "--", "true"},
      {"workspace", "file", "read", id, "seeded", "--max-chars", "0"},
      {"why", "services.nobody"},
  };
  for (const auto& line : lines) {
    SCOPED_TRACE(line[0] + " " + line[1] + " … " + line.back());
    EXPECT_EQ(workspace_ids().size(), 1U);
    expect(64, line);
  }
}

TEST_F(WrongValues, WhatCannotBeReadIsNoBugOfPyro) {
  project_file();
  const auto is_told = [&](const Arguments& line, const RunOptions& options, const std::string& what) {
    const auto result = pyro(line, options);
    EXPECT_NE(result.status, 0) << result;
    EXPECT_NE(result.status, 70) << result;
    EXPECT_TRUE(contains(result.err, what)) << result;
    EXPECT_FALSE(contains(result.err, "terminate called")) << result;
  };
  write_file(root() / "file", "");
  fs::create_directories(root() / "closed/inner");
  fs::create_symlink("loop", root() / "loop");
  fs::permissions(root() / "closed", fs::perms::none);
  for (const std::string home : {"file", "file/below", "loop", "closed/inner", "closed/new"}) {
    if (::geteuid() == 0 && home.starts_with("closed")) {
      continue; // root reads everything
    }
    RunOptions options;
    options.env["PYRO_HOME"] = (root() / home).string();
    for (const Arguments& line : std::vector<Arguments>{
             {"apply"},
             {"plan"},
             {"status"},
             {"ls"},
             {"gc"},
             {"prune"},
             {"doctor"},
             {"env", "ls"},
             {"trust", "ls"}}) {
      const auto result = pyro(line, options);
      EXPECT_NE(result.status, 70) << home << ": " << line[0] << result;
      EXPECT_FALSE(contains(result.err, "terminate called")) << result;
    }
    is_told({"apply"}, options, (root() / home).string());
  }
  fs::permissions(root() / "closed", fs::perms::owner_all);

  fs::create_directory(root() / "elsewhere");
  fs::create_directory(root() / "elsewhere/pyro.yaml");
  RunOptions elsewhere;
  elsewhere.cwd = root() / "elsewhere";
  for (const auto* verb : {"apply", "plan", "validate", "status", "why"}) {
    Arguments line{verb};
    if (line[0] == "why") {
      line.emplace_back("seed");
    }
    is_told(line, elsewhere, "pyro.yaml");
  }
  is_told({"apply", "-f", (root() / "loop").string()}, {}, "loop");
  is_told({"apply", "-C", (root() / "file").string()}, {}, "file");
  if (::geteuid() != 0) {
    fs::permissions(project() / "pyro.yaml", fs::perms::none);
    is_told({"apply"}, {}, "pyro.yaml");
    is_told({"validate"}, {}, "pyro.yaml");
    fs::permissions(project() / "pyro.yaml", fs::perms::owner_all);
  }
}

TEST_F(WrongValues, ADirectoryOfTheProgramThatCannotBeReached) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root reaches everything";
  }
  project_file();
  const auto home = root() / "locked";
  fs::create_directories(home / "bin");
  for (const auto* program : {"pyro", "pyro-supervisor", "pyro-agent"}) {
    fs::copy_file(bin / program, home / "bin" / program);
  }
  for (const std::string verb : {"plan", "ls", "doctor", "env ls", "apply"}) {
    // Started by who could reach it, as by sudo: from then on it cannot look around there.
    const auto result = command(
        {"sh", "-c",
         "cd " + (home / "bin").string() + " && chmod 000 ../../locked && exec ./pyro -C "
             + project().string() + " " + verb});
    fs::permissions(home, fs::perms::owner_all);
    EXPECT_NE(result.status, 70) << result;
    EXPECT_FALSE(contains(result.err, "terminate called")) << result;
    EXPECT_FALSE(contains(result.err, "bug in pyro")) << result;
  }
}

} // namespace
} // namespace pyro::testing
