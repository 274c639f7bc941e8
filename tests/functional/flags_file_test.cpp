// Flags of the commands about the workspace of a pyro.yaml: init, trust, logs, diff, reset, destroy, prune.
#include "flags.hpp"

namespace pyro::testing {
namespace {

/// With a limit of its own it is over before the wait for the lock is.
void waits_no_longer_than_told(Flags& test, const std::string& command) {
  const auto somebody = test.somebody_at_work();
  test.expect(5, {command, "--yes", "--lock-timeout", "300ms"});
  test.expect(124, {command, "--yes", "--timeout", "300ms"});
}

TEST_F(Flags, init__kind) {
  const auto looked = another_project("looked") / "sub";
  const auto told = root() / "told/sub";
  for (const auto& place : {looked, told}) {
    write_file(place / "go.mod", "module example\n");
  }
  EXPECT_EQ(json({"init"}, {.cwd = looked})["kind"], "go");
  EXPECT_EQ(json({"init", "--kind", "python"}, {.cwd = told})["kind"], "python");
  EXPECT_TRUE(contains(read_file(looked / "pyro.yaml"), "go build"));
  EXPECT_FALSE(contains(read_file(told / "pyro.yaml"), "go build"));
  EXPECT_TRUE(contains(read_file(told / "pyro.yaml"), "python"));
}

/// `--force` alone overwrites, whichever file it is made of.
void overwrites_only_when_told(Flags& test, const std::string& kind, const std::string& text) {
  write_file(test.project() / "source", text);
  write_file(test.project() / "pyro.yaml", "mine\n");
  test.expect(1, {"import", kind, "source"});
  EXPECT_EQ(read_file(test.project() / "pyro.yaml"), "mine\n");
  test.expect(0, {"import", kind, "source", "--force"});
  test.expect(0, {"validate"});
}

TEST_F(Flags, import_compose__force) {
  overwrites_only_when_told(*this, "compose", "services: {cache: {image: redis}}\n");
}

TEST_F(Flags, import_devcontainer__force) {
  overwrites_only_when_told(*this, "devcontainer", "{\"image\": \"debian:12\"}\n");
}

TEST_F(Flags, config__hash) {
  file();
  const auto before = json({"config", "--hash"});
  EXPECT_TRUE(before.at("hashes").contains("seed")) << before;
  const auto elsewhere = another_project("elsewhere");
  fs::copy(project(), elsewhere, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  EXPECT_EQ(json({"config", "--hash"}, {.cwd = elsewhere}), before) << "it is the same in another checkout";
  write_file(project() / "seed/more", "1\n");
  const auto after = json({"config", "--hash"});
  EXPECT_EQ(after.at("setup"), before.at("setup"));
  EXPECT_NE(after.at("hashes").at("seed"), before.at("hashes").at("seed"));
  EXPECT_TRUE(contains(expect(0, {"config", "--hash"}).out, get_string(after, "setup") + "  setup\n"));
}

TEST_F(Flags, lock__upgrade) {
  file();
  const auto nothing = json({"lock", "--upgrade"});
  EXPECT_EQ(nothing["images"].size(), 0U) << "lock_test.cpp has a registry";
  write_file(project() / "pyro.lock", "nonsense");
  expect(65, {"lock"});
  expect(0, {"lock", "--upgrade"});
  EXPECT_TRUE(Json::accept(read_file(project() / "pyro.lock")));
}

TEST_F(Flags, report__output) {
  file();
  const auto page = expect(0, {"report"}).out;
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>")) << page;
  const auto place = root() / "report.html";
  for (const auto* flag : {"--output", "-o"}) {
    EXPECT_EQ(expect(0, {"report", flag, place.string()}).out, "");
    EXPECT_TRUE(read_file(place).starts_with("<!DOCTYPE html>"));
    fs::remove(place);
  }
}

TEST_F(Flags, report__allow_host_compat) {
  file("isolation: host\nbackend: host\n");
  EXPECT_NE(pyro({"report"}).status, 0);
  EXPECT_TRUE(contains(expect(0, {"report", "--allow-host-compat"}).out, "<h2>Plan</h2>"));
}

TEST_F(Flags, schema__install) {
  const auto schema = project() / ".pyro/pyro-1.schema.json";
  EXPECT_FALSE(contains(expect(0, {"schema"}).err, "Wrote"));
  EXPECT_FALSE(fs::exists(schema));
  EXPECT_TRUE(contains(expect(0, {"schema", "--install"}).err, "Wrote"));
  EXPECT_EQ(read_file(schema), expect(0, {"schema"}).out);
  EXPECT_FALSE(get_bool(json({"schema", "--install"})["files"][0], "changed"));
  expect(64, {"schema", "-C", ".."});

  fs::remove_all(project() / ".pyro");
  fs::create_directory_symlink(root(), project() / ".pyro");
  expect(77, {"schema", "--install"});
  EXPECT_FALSE(fs::exists(root() / "pyro-1.schema.json")) << "a checkout that leads elsewhere was followed";
}

/// Into the settings of an editor, whose other content stays byte for byte.
void schema_goes_into_settings(Flags& test, const std::string& editor, const std::string& empty) {
  const auto settings = test.project() / ("." + editor) / "settings.json";
  test.expect(0, {"schema", "--install"});
  EXPECT_FALSE(fs::exists(settings));
  test.expect(64, {"schema", "--" + editor});
  const std::string mine = "{\n  // mine\n  \"tab\": 8, // eight\n}\n";
  write_file(settings, mine);
  for (int i = 0; i < 2; ++i) {
    test.expect(0, {"schema", "--install", "--" + editor});
    const auto text = read_file(settings);
    EXPECT_TRUE(text.starts_with("{\n  // mine\n  \"tab\": 8, // eight\n")) << text;
    EXPECT_TRUE(contains(text, empty)) << text;
  }
  write_file(settings, "[]\n");
  test.expect(65, {"schema", "--install", "--" + editor});
  EXPECT_EQ(read_file(settings), "[]\n");
}

TEST_F(Flags, schema__vscode) {
  schema_goes_into_settings(*this, "vscode", "\"yaml.schemas\": {\n    \"./.pyro/pyro-1.schema.json\": [");
}

TEST_F(Flags, schema__zed) {
  schema_goes_into_settings(*this, "zed", "\"schemas\": {\n            \"./.pyro/pyro-1.schema.json\": [");
}

TEST_F(Flags, trust__show) {
  write_file(root() / "elsewhere", "a secret\n");
  file("secrets:\n  e: {file: ../elsewhere}\n");
  EXPECT_EQ(json({"trust", "--show"})["requests"].size(), 1U);
  EXPECT_EQ(json({"trust", "ls"})["checkouts"].size(), 0U);
  expect(7, {"apply"});
  expect(0, {"trust"});
  EXPECT_EQ(json({"trust", "ls"})["checkouts"].size(), 1U);
  expect(0, {"apply"});
}

TEST_F(Flags, logs__tail) {
  file("services:\n  s: {command: 'for i in 1 2 3 4; do echo line-$i; done; touch /tmp/up; sleep 1000', "
       "readiness: {file: /tmp/up}}\n");
  expect(0, {"apply"});
  EXPECT_TRUE(eventually([&] { return contains(pyro({"logs"}).out, "line-4"); }));
  EXPECT_EQ(expect(0, {"logs", "s"}).out, "line-1\nline-2\nline-3\nline-4\n");
  EXPECT_EQ(expect(0, {"logs", "s", "--tail", "2"}).out, "line-3\nline-4\n");
}

TEST_F(Flags, logs__cursor) {
  file("services:\n  s: {command: 'for i in 1 2 3 4; do echo line-$i; done; touch /tmp/up; sleep 1000', "
       "readiness: {file: /tmp/up}}\n");
  expect(0, {"apply"});
  Json last;
  EXPECT_TRUE(eventually([&] {
    last = json({"logs", "--tail", "2"});
    return contains(last.dump(), "line-4");
  }));
  const auto before = expect(0, {"logs", "s", "--tail", "1", "--cursor", last["next_cursor"]});
  EXPECT_EQ(before.out, "line-2\n");
  EXPECT_TRUE(contains(before.err, "there is more: --cursor lines:s=")) << before;
}

TEST_F(Flags, logs__follow) {
  file("services:\n  s: {command: 'echo begun; touch /tmp/up; while [ ! -e /workspace/go ]; do sleep 0.1; "
       "done; echo went-on; sleep 1000', readiness: {file: /tmp/up}}\n");
  expect(0, {"apply"});
  const auto following = at_a_terminal({"logs", "s", "--follow"});
  EXPECT_TRUE(following->see("begun")) << following->seen();
  const auto once = expect(0, {"logs", "s"});
  EXPECT_EQ(once.out, "begun\n");
  EXPECT_EQ(inside("touch go").status, 0);
  EXPECT_TRUE(following->see("went-on")) << following->seen();
}

/// One file changed, one new.
void change_two_files(Flags& test) {
  test.file();
  test.expect(0, {"apply"});
  EXPECT_EQ(test.inside("echo second >> first; echo new > new").status, 0);
}

TEST_F(Flags, diff__patch) {
  change_two_files(*this);
  EXPECT_FALSE(contains(expect(0, {"diff"}).out, "+second"));
  for (const auto* flag : {"--patch", "-p"}) {
    const auto patch = expect(0, {"diff", flag}).out;
    EXPECT_TRUE(contains(patch, "\n+second\n") && contains(patch, "\n first\n")) << patch;
  }
}

TEST_F(Flags, diff__stat) {
  change_two_files(*this);
  EXPECT_TRUE(contains(expect(0, {"diff"}).out, "first"));
  const auto stat = expect(0, {"diff", "--stat"}).out;
  EXPECT_TRUE(contains(stat, "/workspace/first  | 1 +\n")) << stat;
  EXPECT_TRUE(contains(stat, "2 paths")) << stat;
  expect(64, {"diff", "--stat", "--patch"});
}

TEST_F(Flags, diff__name_only) {
  change_two_files(*this);
  EXPECT_EQ(expect(0, {"diff", "--name-only"}).out, "/workspace/first\n/workspace/new\n");
}

TEST_F(Flags, diff__exit_code) {
  change_two_files(*this);
  expect(0, {"diff"});
  expect(1, {"diff", "--exit-code"});
  expect(0, {"diff", "--exit-code", "/etc"});
}

TEST_F(Flags, reset__to) {
  file();
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo one > one").status, 0);
  expect(0, {"snapshot", "save", "with-one"});
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("ls").out, "first\n");
  expect(0, {"reset", "--yes", "--to", "with-one"});
  EXPECT_EQ(inside("ls").out, "first\none\n");
}

TEST_F(Flags, reset__timeout) {
  waits_no_longer_than_told(*this, "reset");
}

TEST_F(Flags, destroy__timeout) {
  waits_no_longer_than_told(*this, "destroy");
}

TEST_F(Flags, destroy__snapshots) {
  file();
  for (const bool with_snapshots : {false, true}) {
    expect(0, {"apply"});
    expect(0, {"snapshot", "save", "kept"});
    expect(0, with_snapshots ? Arguments{"destroy", "--yes", "--snapshots"} : Arguments{"destroy", "--yes"});
    const auto undone = pyro({"undo"});
    EXPECT_EQ(undone.status == 0, !with_snapshots) << undone;
    EXPECT_EQ(contains(pyro({"snapshot", "ls"}).out, "kept"), !with_snapshots);
    std::ignore = pyro({"destroy", "--yes", "--snapshots"});
  }
}

TEST_F(Flags, prune__dry_run) {
  for (const auto* text : {"1", "2"}) {
    file(
        "retention: {keep: 1, min_age: 1ms}\nprepare:\n  - {id: step, run: echo " + std::string(text)
        + " > made}\n");
    expect(0, {"apply", "--yes"});
  }
  const auto wanted = json({"prune", "--dry-run"})["removed"];
  EXPECT_GT(wanted.size(), 0U);
  EXPECT_EQ(json({"prune", "--dry-run"})["removed"], wanted) << "nothing went";
  EXPECT_EQ(json({"prune"})["removed"].size(), wanted.size());
  EXPECT_EQ(json({"prune", "--dry-run"})["removed"].size(), 0U);
}

} // namespace
} // namespace pyro::testing
