// Flags that every command understands.
#include "flags.hpp"

#include <set>

namespace pyro::testing {
namespace {

const std::string k_escape = "\x1b[";

TEST_F(Flags, common__file) {
  file();
  write_file(
      project() / "other.yaml",
      "version: 1\nname: another\nenvironment: {image: 'dir:root'}\nseed: {from: seed}\n");
  EXPECT_EQ(json({"config"})["name"], "test");
  for (const auto& words :
       {Arguments{"config", "--file", "other.yaml"},
        {"-f", "other.yaml", "config"},
        {"config", "-fother.yaml"}}) {
    EXPECT_EQ(json(words)["name"], "another");
  }
}

TEST_F(Flags, common__directory) {
  file();
  expect(66, {"config"}, {.cwd = root()});
  EXPECT_EQ(json({"config", "--directory", "project"}, {.cwd = root()})["name"], "test");
  EXPECT_EQ(json({"-C", project().string(), "config"}, {.cwd = "/"})["name"], "test");
}

TEST_F(Flags, common__profile) {
  file("profiles:\n  ci: {environment: {env: {A: from-the-profile}}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo \"<$A>\"").out, "<>\n");
  expect(0, {"apply", "--yes", "--profile", "ci"});
  EXPECT_EQ(inside("echo \"<$A>\"").out, "<from-the-profile>\n");
}

TEST_F(Flags, common__var) {
  file("vars: {word: {default: otherwise}}\nprepare:\n  - {id: step, run: 'echo ${word} > made'}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat made").out, "otherwise\n");
  expect(0, {"apply", "--yes", "--var", "word=told"});
  EXPECT_EQ(inside("cat made").out, "told\n");
  expect(65, {"config", "--var", "wodr=told"});
}

/// What works on the file of a directory has no other workspace than its own.
void refuse_another_workspace_than_the_files(Flags& test) {
  write_file(test.project() / "seed/second", "second\n");
  for (const auto& words :
       {Arguments{"plan"},
        {"apply", "--yes"},
        {"up", "--yes"},
        {"why", "workspace"},
        {"run", "--", "true"}}) {
    for (const auto* name : {"other", "nobody"}) {
      const auto refused = test.with(words, {"-w", name});
      EXPECT_EQ(refused.status, 64) << refused;
      EXPECT_TRUE(contains(refused.err, "hint: ")) << refused;
    }
  }
  EXPECT_EQ(test.inside("ls").out, "first\n");
  for (const auto& own : {std::string("test"), test.json({"status"})["workspace_id"].get<std::string>()}) {
    test.expect(0, {"plan", "-w", own});
    test.expect(0, {"run", "--yes", "-w", own, "--", "true"});
    test.expect(0, {"apply", "--yes", "-w", own});
  }
  EXPECT_EQ(test.inside("ls").out, "first\nsecond\n");
}

TEST_F(Flags, common__workspace) {
  file();
  expect(0, {"apply"});
  const auto other = made({"--name", "other"});
  const Arguments words{"exec", "--", "hostname"};
  EXPECT_EQ(with(words, {}).out, "test\n");
  EXPECT_EQ(with(words, {"--workspace", "other"}).out, "other\n");
  EXPECT_EQ(with(words, {"-w", other}).out, "other\n");
  refuse_another_workspace_than_the_files(*this);
  expect(0, {"destroy", "--yes", "--snapshots"});
  expect(64, {"apply", "-w", "other"});
  expect(0, {"apply", "-w", "test"});
}

TEST_F(Flags, common__yes) {
  file();
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > mine").status, 0);
  write_file(project() / "seed/second", "second\n");
  for (const auto& flags : {Arguments{}, {"--yes=false"}}) {
    EXPECT_EQ(with({"apply"}, flags).status, 7);
    EXPECT_EQ(inside("ls").out, "first\nmine\n");
  }
  expect(0, {"apply", "-y"});
  EXPECT_EQ(inside("ls").out, "first\nsecond\n");
}

TEST_F(Flags, common__trust) {
  write_file(root() / "elsewhere", "a secret\n");
  file("secrets:\n  e: {file: ../elsewhere}\n");
  expect(7, {"apply"});
  EXPECT_EQ(json({"trust", "ls"})["checkouts"].size(), 0U);
  expect(0, {"apply", "--trust"});
  EXPECT_EQ(json({"trust", "ls"})["checkouts"].size(), 1U);
  expect(0, {"apply"});
}

TEST_F(Flags, common__output) {
  file("versoin: 1\n");
  const auto text = pyro({"validate"});
  EXPECT_EQ(pyro({"validate", "--output", "text"}).all(), text.all());
  EXPECT_TRUE(contains(text.all(), "pyro.yaml:5:1: error")) << text;
  EXPECT_EQ(Json::parse(pyro({"validate", "-o", "json"}).out)["valid"], false);
  EXPECT_TRUE(contains(pyro({"validate", "-o", "github"}).out, "::error file=pyro.yaml,line=5"));
  file();
  const auto lines = expect(0, {"apply", "-o", "jsonl"}).out;
  std::istringstream stream(lines);
  std::set<std::string> types;
  for (std::string line; std::getline(stream, line);) {
    types.insert(Json::parse(line)["type"].get<std::string>());
  }
  EXPECT_TRUE(types.contains("action_start") && types.contains("result")) << lines;
  expect(64, {"validate", "-o", "xml"});
}

TEST_F(Flags, common__json) {
  file();
  EXPECT_FALSE(Json::accept(expect(0, {"plan"}).out));
  EXPECT_TRUE(Json::parse(expect(0, {"plan", "--json"}).out)["plan"].is_object());
  EXPECT_EQ(pyro({"status", "--json"}).err, pyro({"status", "-o", "json"}).err);
  EXPECT_TRUE(Json::parse(pyro({"status", "--json"}).err).contains("error"));
}

TEST_F(Flags, common__progress) {
  file();
  const auto told = [&](const std::string& mode) {
    auto result = expect(0, {"apply", "--progress", mode});
    expect(0, {"destroy", "--yes", "--snapshots"});
    return result.err;
  };
  const auto plain = told("plain");
  EXPECT_TRUE(contains(plain, "s] workspace: created") && !contains(plain, k_escape)) << plain;
  EXPECT_TRUE(contains(told("auto"), "s] workspace: created")) << "on no terminal it is plain";
  EXPECT_TRUE(contains(told("tty"), k_escape));
  EXPECT_FALSE(contains(told("quiet"), "workspace: created"));
  const auto json = told("json");
  EXPECT_EQ(Json::parse(json.substr(0, json.find('\n')))["type"], "plan") << json;
}

TEST_F(Flags, common__color) {
  file();
  expect(0, {"apply"});
  const RunOptions no_color{.env = {{"NO_COLOR", "1"}}};
  EXPECT_FALSE(contains(expect(0, {"ls"}).out, k_escape));
  EXPECT_FALSE(contains(expect(0, {"ls", "--color", "auto"}).out, k_escape));
  EXPECT_TRUE(contains(expect(0, {"ls", "--color", "always"}, no_color).out, k_escape));
  EXPECT_TRUE(contains(seen_at_a_terminal({"ls"}), k_escape));
  EXPECT_FALSE(contains(seen_at_a_terminal({"ls"}, no_color), k_escape));
  EXPECT_FALSE(contains(seen_at_a_terminal({"ls", "--color", "never"}), k_escape));
}

TEST_F(Flags, common__quiet) {
  file();
  EXPECT_TRUE(contains(expect(0, {"apply"}).err, "Done"));
  EXPECT_NE(expect(0, {"stop"}).err, "");
  EXPECT_EQ(expect(0, {"start", "--quiet"}).all(), "");
  EXPECT_EQ(expect(0, {"apply", "-q"}).all(), "");
  EXPECT_TRUE(contains(expect(0, {"ls", "-q"}).out, "test")) << "a result is no chatter";
  EXPECT_NE(pyro({"start", "-q", "-w", "nobody"}).err, "") << "nor is an error";
}

TEST_F(Flags, common__verbose) {
  file("prepare:\n  - {id: step, run: 'echo first-l''ine; echo second-l''ine'}\n");
  const auto brief = seen_at_a_terminal({"apply"});
  EXPECT_FALSE(contains(brief, "| first-line")) << brief;
  EXPECT_FALSE(contains(expect(0, {"plan"}).out, "prepare.step"));
  const auto all = expect(0, {"plan", "--verbose"}).out;
  EXPECT_TRUE(contains(all, "=   prepare.step")) << all;
  expect(0, {"destroy", "--yes"});
  replace_in_file(project() / "pyro.yaml", "second", "third");
  const auto full = seen_at_a_terminal({"apply", "-v"});
  EXPECT_TRUE(contains(full, "first-line") && contains(full, "third-line")) << full;
}

TEST_F(Flags, common__lock_timeout) {
  const auto somebody = somebody_at_work();
  auto patient = start({"stop"});
  expect(5, {"stop", "--lock-timeout", "200ms"});
  EXPECT_FALSE(patient.try_wait()) << "a minute is not over yet";
}

TEST_F(Flags, common__help) {
  file();
  for (const auto* flag : {"--help", "-h"}) {
    const auto page = expect(0, {"apply", flag}).out;
    EXPECT_TRUE(contains(page, "Usage: pyro apply") && contains(page, "--no-cache")) << page;
  }
  EXPECT_TRUE(workspace_ids().empty());
}

} // namespace
} // namespace pyro::testing
