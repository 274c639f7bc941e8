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

const std::vector<Arguments> k_about_a_file{{"validate"},          {"config"},         {"plan"},
                                            {"apply", "--yes"},    {"up", "--yes"},    {"why", "workspace"},
                                            {"run", "--", "true"}, {"trust", "--show"}};

/// One without a file of its own has nothing that could be carried out, and there must be one.
void refuse_those_without_a_file(Flags& test) {
  for (const auto& words : k_about_a_file) {
    const auto by_hand = test.with(words, {"-w", "other"});
    EXPECT_TRUE(contains(by_hand.err, "the workspace other belongs to no pyro.yaml")) << by_hand;
    EXPECT_TRUE(contains(by_hand.err, "hint: ")) << by_hand;
    EXPECT_NE(by_hand.status, 0) << by_hand;
    const auto nobody = test.with(words, {"-w", "nobody"});
    EXPECT_TRUE(contains(nobody.err, "workspace nobody does not exist")) << nobody;
    EXPECT_NE(nobody.status, 0) << nobody;
  }
}

/// From elsewhere, where another file is: it is the named workspace's file that is read and carried out.
void follow_the_name_to_its_file(Flags& test) {
  const auto elsewhere = test.project() / "elsewhere";
  test.file("", elsewhere);
  replace_in_file(elsewhere / "pyro.yaml", "name: test", "name: second");
  const RunOptions there{.cwd = elsewhere};
  EXPECT_EQ(test.json({"config", "-w", "test"}, there)["name"], "test");
  EXPECT_EQ(test.json({"validate", "-w", "test"}, there)["name"], "test");
  EXPECT_EQ(test.json({"config"}, there)["name"], "second");
  write_file(test.project() / "seed/second", "second\n");
  EXPECT_EQ(test.with({"plan", "--detailed-exitcode"}, {"-w", "test"}, there).status, 2);
  EXPECT_TRUE(contains(test.with({"why", "seed"}, {"-w", "test"}, there).out, "seed tree"));
  for (const auto& own : {std::string("test"), test.json({"status"})["workspace_id"].get<std::string>()}) {
    test.expect(0, {"apply", "--yes", "-w", own}, there);
    EXPECT_EQ(test.with({"run", "--yes", "--", "hostname"}, {"-w", own}, there).out, "test\n");
  }
  EXPECT_EQ(test.inside("ls").out, "first\nsecond\n");
  EXPECT_EQ(test.workspace_ids().size(), 2U) << "none was made of the file that is here";
  replace_in_file(test.project() / "pyro.yaml", "name: test", "name: renamed");
  const auto renamed = test.with({"apply", "--yes"}, {"-w", "test"}, there);
  EXPECT_EQ(renamed.status, 64) << renamed;
  EXPECT_TRUE(contains(renamed.err, "the file of another workspace, renamed")) << renamed;
  fs::rename(test.project() / "pyro.yaml", test.project() / "moved.yaml");
  const auto gone = test.with({"apply", "--yes"}, {"-w", "test"}, there);
  EXPECT_TRUE(contains(gone.err, "the file of the workspace test is gone")) << gone;
  fs::rename(test.project() / "moved.yaml", test.project() / "pyro.yaml");
  replace_in_file(test.project() / "pyro.yaml", "name: renamed", "name: test");
}

TEST_F(Flags, common__workspace) {
  file();
  expect(0, {"apply"});
  const auto other = made({"--name", "other"});
  const Arguments words{"exec", "--", "hostname"};
  EXPECT_EQ(with(words, {}).out, "test\n");
  EXPECT_EQ(with(words, {"--workspace", "other"}).out, "other\n");
  EXPECT_EQ(with(words, {"-w", other}).out, "other\n");
  EXPECT_TRUE(contains(seen_at_a_terminal({"exec", "-it", "-w", "other", "--", "hostname"}), "other"));
  refuse_those_without_a_file(*this);
  follow_the_name_to_its_file(*this);
  expect(0, {"destroy", "--yes", "--snapshots"});
  expect(64, {"apply", "-w", "other"});
  expect(0, {"apply", "-w", "test"});
  expect(64, {"status", "-w", "test", "-C", "."});
  expect(64, {"ls", "-w", "test"});
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
  EXPECT_EQ(Json::parse(json.substr(0, json.find('\n')))["type"], "planned_action") << json;
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
