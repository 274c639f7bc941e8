// What people do every day and expect to go well.
#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/terminal.hpp"

#include <gtest/gtest.h>

namespace pyro::testing {
namespace {

class DailyUse : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      make_busybox_root(project() / "image");
    }
  }

  void file(const std::string& body = "") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./files}\n" + body);
    fs::create_directories(project() / "files");
  }
};

TEST_F(DailyUse, ANameThatIsNotThereIsAnsweredWithThoseThatAre) {
  file("services: {web: {command: sleep 1000}}\nsnapshots: {start: {at: seed}}\n");
  expect(0, {"apply"});
  const auto reset = pyro({"reset", "--to", "strat"});
  EXPECT_TRUE(contains(reset.err, "did you mean 'start'? There are baseline, start")) << reset;
  const auto logs = pyro({"logs", "api"});
  EXPECT_TRUE(contains(logs.err, "there is web")) << logs;
  const auto show = pyro({"snapshot", "show", "other"});
  EXPECT_TRUE(contains(show.err, "there are baseline, start")) << show;
}

TEST_F(DailyUse, WhoHasAPortIsNamed) {
  file("services: {web: {command: sleep 1000, ports: ['8080']}}\n");
  expect(0, {"apply"});
  const auto port = json({"status"})["ports"][0]["host_port"].dump();
  const auto other = another_project("other");
  make_busybox_root(other / "image");
  write_file(
      other / "pyro.yaml", "version: 1\nname: second\nenvironment: {image: 'dir:./image'}\n"
                           "services: {web: {command: sleep 1000, ports: ['"
                               + port + ":8080']}}\n");
  for (const auto* verb : {"plan", "apply"}) {
    const auto told = pyro({verb}, {.cwd = other});
    EXPECT_TRUE(contains(told.all(), "is taken by the workspace test (" + project().string() + ")")) << told;
  }
}

TEST_F(DailyUse, ExecStartsWhatIsStopped) {
  file("services: {web: {command: sleep 1000}}\n");
  expect(0, {"apply"});
  expect(0, {"exec", "--", "touch", "kept"});
  expect(0, {"stop"});
  EXPECT_EQ(expect(0, {"exec", "--", "ls"}).out, "kept\n");
  EXPECT_EQ(json({"status"})["services"][0]["state"], "ready");
  expect(0, {"stop"});
  EXPECT_TRUE(contains(expect(0, {"exec", "--json", "--", "ls"}).out, "kept"));
}

TEST_F(DailyUse, APatchAppliesInTheCheckout) {
  file();
  write_file(project() / "files/notes/a.txt", "one\n");
  write_file(project() / "files/gone.txt", "one\n");
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("echo two >> notes/a.txt; echo new > notes/b.txt; rm gone.txt; printf '\\0' > data; echo x > "
             "/etc/outside")
          .status,
      0);
  for (const Arguments& arguments :
       {Arguments{"diff", "--patch"}, Arguments{"diff", "-p", "notes", "gone.txt"},
        Arguments{"workspace", "diff", "test"}}) {
    const auto patch = expect(0, arguments);
    const auto copy = root() / "copy";
    fs::copy(project() / "files", copy, fs::copy_options::recursive);
    const auto applied = command({"git", "apply", "--verbose", "-"}, {.cwd = copy, .input = patch.out});
    EXPECT_EQ(applied.status, 0) << applied << patch;
    EXPECT_EQ(read_file(copy / "notes/a.txt"), "one\ntwo\n");
    EXPECT_EQ(read_file(copy / "notes/b.txt"), "new\n");
    EXPECT_FALSE(fs::exists(copy / "gone.txt"));
    fs::remove_all(copy);
  }
  const auto told = expect(0, {"diff", "-p"}).err;
  EXPECT_TRUE(contains(told, "without text, not in the patch: /workspace/data")) << told;
  EXPECT_TRUE(
      contains(told, "outside of the seed's directory, not in the patch (give their path): /etc/outside"))
      << told;
  EXPECT_TRUE(contains(expect(0, {"workspace", "diff", "test"}).err, "not in the patch: data"));
  EXPECT_TRUE(contains(expect(0, {"diff", "-p", "/etc"}).out, "+++ b/etc/outside\n"));
}

TEST_F(DailyUse, FollowedOutputSaysWhatEndedIt) {
  file("services: {web: {command: 'echo begun; sleep 1000'}}\nsnapshots: {start: {at: seed}}\n");
  const std::vector<std::pair<Arguments, std::string>> ends{
      {{"reset", "--yes"}, "the workspace was reset to start"},
      {{"stop"}, "the workspace was stopped"},
      {{"destroy", "--yes"}, "the workspace was destroyed"}};
  for (const auto& [arguments, words] : ends) {
    expect(0, {"apply", "--yes"});
    OnATerminal following({(bin / "pyro").string(), "logs", "-f"}, environment({}), project());
    ASSERT_TRUE(following.see("begun")) << following.seen();
    expect(0, arguments);
    EXPECT_TRUE(following.see(words)) << following.seen();
  }
}

TEST_F(DailyUse, ProgressIsInTheOrderOfThings) {
  file("services:\n"
       "  db: {command: sleep 1000, readiness: {exec: 'true'}}\n"
       "  load: {oneshot: true, command: 'true', depends_on: [db]}\n"
       "  web: {command: sleep 1000, depends_on: {load: {condition: completed}}}\n");
  const auto told = expect(0, {"apply"}).err;
  std::size_t last = 0;
  for (const auto* line :
       {"services.web: starting\n", "services.db: started (", "services.load: started (",
        "services.web: started ("}) {
    const auto at = told.find(line);
    ASSERT_NE(at, std::string::npos) << line << " in\n" << told;
    EXPECT_GT(at, last) << line << " in\n" << told;
    last = at;
    EXPECT_EQ(told.find(line, at + 1), std::string::npos) << line << " twice in\n" << told;
  }
  for (const auto* state : {": ready\n", ": running\n", ": completed\n"}) {
    EXPECT_FALSE(contains(told, state)) << told;
  }
}

TEST_F(DailyUse, ConfigIsYamlForPeopleAndJsonForPrograms) {
  file("labels: {answer: '42'}\n");
  const auto text = expect(0, {"config"}).out;
  EXPECT_TRUE(contains(text, "\nlabels:\n  answer: \"42\"\n")) << text;
  EXPECT_TRUE(contains(text, "\nname: test\n")) << text;
  EXPECT_EQ(json({"config"})["labels"]["answer"], "42");
}

} // namespace
} // namespace pyro::testing
