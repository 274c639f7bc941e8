// Flags of the commands about one workspace by hand, but for those that say what its sandbox is to be.
#include "flags.hpp"

#include <cmath>

namespace pyro::testing {
namespace {

TEST_F(Flags, workspace_create__seed_path) {
  EXPECT_EQ(in(made(), "ls").out, "");
  EXPECT_EQ(in(made({"--seed-path", "seed"}), "ls").out, "first\n");
}

TEST_F(Flags, workspace_create__label) {
  EXPECT_EQ(json({"workspace", "status", made()})["labels"], Json::object());
  const auto labelled = made({"--label", "team=web", "--label", "a=b"});
  EXPECT_EQ(json({"workspace", "status", labelled})["labels"], (Json{{"team", "web"}, {"a", "b"}}));
}

TEST_F(Flags, workspace_create__secret) {
  EXPECT_EQ(in(made(), "ls /run/secrets | wc -l").out, "0\n");
  EXPECT_EQ(in(made({"--secret", "TOKEN=abc-def"}), "wc -c < /run/secrets/TOKEN").out, "7\n");
  auto id =
      pyro({"workspace", "create", image(), "--id-only", "--secret", "OURS"}, {.env = {{"OURS", "12345"}}})
          .out;
  ASSERT_EQ(id.size(), 13U);
  id.pop_back();
  EXPECT_EQ(in(id, "wc -c < /run/secrets/OURS").out, "5\n");
}

TEST_F(Flags, workspace_create__secret_file) {
  write_file(project() / "key", "abc-def-ghi");
  EXPECT_EQ(in(made(), "ls /run/secrets | wc -l").out, "0\n");
  EXPECT_EQ(in(made({"--secret-file", "KEY=key"}), "wc -c < /run/secrets/KEY").out, "11\n");
}

TEST_F(Flags, workspace_create__egress_host) {
  const auto held = made({"--network-policy", "egress", "--egress-host", "example.org"});
  EXPECT_EQ(in(held, "cat /etc/resolv.conf").out, "nameserver 198.18.0.1\n") << "its gateway's";
  EXPECT_EQ(json({"workspace", "status", held})["network"]["egress"], "example.org");
  EXPECT_NE(in(made({"--network-policy", "egress"}), "cat /etc/resolv.conf").out, "nameserver 198.18.0.1\n");
}

TEST_F(Flags, workspace_update__name) {
  const auto id = made();
  expect(0, {"workspace", "update", id, "--name", "another"});
  EXPECT_EQ(json({"workspace", "status", "another"})["workspace_id"], id);
}

TEST_F(Flags, workspace_update__label) {
  const auto id = made({"--label", "a=1"});
  expect(0, {"workspace", "update", id, "--label", "b=2", "--label", "a=3"});
  EXPECT_EQ(json({"workspace", "status", id})["labels"], (Json{{"a", "3"}, {"b", "2"}}));
}

TEST_F(Flags, workspace_update__clear_label) {
  const auto id = made({"--label", "a=1", "--label", "b=2"});
  expect(0, {"workspace", "update", id, "--clear-label", "a"});
  EXPECT_EQ(json({"workspace", "status", id})["labels"], (Json{{"b", "2"}}));
}

/// Two, of which only one has anything to be chosen by.
std::string one_of_two(Flags& test) {
  test.made();
  const auto id = test.made({"--name", "chosen", "--label", "team=web"});
  EXPECT_EQ(test.json({"workspace", "list"})["count"], 2);
  return id;
}

void lists_one(Flags& test, const std::string& id, const Arguments& flags) {
  auto words = flags;
  words.insert(words.begin(), {"workspace", "list"});
  EXPECT_EQ(joined(test.json(words)["workspaces"], "workspace_id"), id);
}

TEST_F(Flags, workspace_list__name) {
  lists_one(*this, one_of_two(*this), {"--name", "chosen"});
}

TEST_F(Flags, workspace_list__label) {
  lists_one(*this, one_of_two(*this), {"--label", "team=web"});
}

TEST_F(Flags, workspace_list__state) {
  const auto id = one_of_two(*this);
  expect(0, {"workspace", "stop", id});
  lists_one(*this, id, {"--state", "stopped"});
}

TEST_F(Flags, workspace_list__id_only) {
  const auto id = made();
  EXPECT_TRUE(contains(expect(0, {"workspace", "list"}).out, "STATE"));
  EXPECT_EQ(expect(0, {"workspace", "list", "--id-only"}).out, id + "\n");
}

TEST_F(Flags, workspace_logs__limit) {
  const auto id = made();
  for (const auto* text : {"one", "two", "three"}) {
    EXPECT_EQ(in(id, std::string("echo ") + text).status, 0);
  }
  EXPECT_EQ(joined(json({"workspace", "logs", id})["entries"], "stdout"), "one\n two\n three\n");
  EXPECT_EQ(joined(json({"workspace", "logs", id, "--limit", "2"})["entries"], "stdout"), "two\n three\n");
}

TEST_F(Flags, workspace_logs__cursor) {
  const auto id = made();
  for (const auto* text : {"one", "two", "three"}) {
    EXPECT_EQ(in(id, std::string("echo ") + text).status, 0);
  }
  const auto entries = json({"workspace", "logs", id, "--limit", "1", "--cursor", "3"})["entries"];
  EXPECT_EQ(joined(entries, "stdout"), "two\n");
}

TEST_F(Flags, workspace_reset__snapshot) {
  const auto id = made();
  EXPECT_EQ(in(id, "echo one > one").status, 0);
  expect(0, {"workspace", "snapshot", "create", id, "with-one"});
  expect(0, {"workspace", "reset", id});
  EXPECT_EQ(in(id, "ls").out, "");
  expect(0, {"workspace", "reset", id, "--snapshot", "with-one"});
  EXPECT_EQ(in(id, "ls").out, "one\n");
}

TEST_F(Flags, workspace_sync_push__dest) {
  const auto id = made();
  expect(0, {"workspace", "sync", "push", id, "seed"});
  expect(0, {"workspace", "sync", "push", id, "seed", "--dest", "deep/down"});
  EXPECT_EQ(in(id, "find . -type f | sort").out, "./deep/down/first\n./first\n");
}

TEST_F(Flags, workspace_export__output) {
  const auto id = made({"--seed-path", "seed"});
  expect(64, {"workspace", "export", id, "first"});
  expect(0, {"workspace", "export", id, "first", "--output", "one"});
  expect(0, {"workspace", "export", id, "first", "-o", "two"});
  EXPECT_EQ(read_file(project() / "one") + read_file(project() / "two"), "first\nfirst\n");
}

TEST_F(Flags, workspace_diff__names) {
  const auto id = made({"--seed-path", "seed"});
  EXPECT_EQ(in(id, "echo second >> first").status, 0);
  EXPECT_TRUE(contains(expect(0, {"workspace", "diff", id}).out, "+second"));
  const auto names = expect(0, {"workspace", "diff", id, "--names"}).out;
  EXPECT_FALSE(contains(names, "+second")) << names;
  EXPECT_TRUE(contains(names, "M ") && contains(names, "first")) << names;
}

TEST_F(Flags, workspace_file_list__recursive) {
  const auto id = made();
  EXPECT_EQ(in(id, "mkdir a; touch a/b").status, 0);
  EXPECT_FALSE(contains(expect(0, {"workspace", "file", "list", id}).out, "/a/b"));
  EXPECT_TRUE(contains(expect(0, {"workspace", "file", "list", id, "--recursive"}).out, "/a/b"));
  EXPECT_TRUE(contains(expect(0, {"workspace", "file", "list", id, "-r"}).out, "/a/b"));
}

TEST_F(Flags, workspace_file_list__limit) {
  const auto id = made();
  EXPECT_EQ(in(id, "touch a b c").status, 0);
  const auto some = expect(0, {"workspace", "file", "list", id, "--limit", "2"});
  EXPECT_FALSE(contains(some.out, "/workspace/c"));
  EXPECT_TRUE(contains(some.err, "--cursor")) << some;
}

TEST_F(Flags, workspace_file_list__cursor) {
  const auto id = made();
  EXPECT_EQ(in(id, "touch a b c").status, 0);
  const auto next = json({"workspace", "file", "list", id, "--limit", "2"})["next_cursor"];
  const auto rest = expect(0, {"workspace", "file", "list", id, "--cursor", next.get<std::string>()});
  EXPECT_TRUE(contains(rest.out, "/workspace/c")) << rest;
  EXPECT_FALSE(contains(rest.out, "/workspace/b")) << rest;
}

TEST_F(Flags, workspace_file_read__cursor) {
  const auto id = made({"--seed-path", "seed"});
  EXPECT_EQ(expect(0, {"workspace", "file", "read", id, "first", "--cursor", "2"}).out, "rst\n");
}

TEST_F(Flags, workspace_file_read__max_chars) {
  const auto id = made({"--seed-path", "seed"});
  EXPECT_EQ(expect(0, {"workspace", "file", "read", id, "first"}).out, "first\n");
  EXPECT_EQ(expect(0, {"workspace", "file", "read", id, "first", "--max-chars", "3"}).out, "fir");
}

TEST_F(Flags, workspace_file_write__input) {
  const auto id = made();
  const RunOptions piped{.input = "from the pipe\n"};
  expect(0, {"workspace", "file", "write", id, "a"}, piped);
  expect(0, {"workspace", "file", "write", id, "b", "--input", "seed/first"}, piped);
  EXPECT_EQ(in(id, "cat a b").out, "from the pipe\nfirst\n");
}

/// `pyro fork NAME` of the file's workspace, and `pyro workspace fork ID`.
Arguments fork_of(Flags& test, const std::string& command) {
  if (command == "fork") {
    test.file();
    test.expect(0, {"apply"});
    return {"fork", "copy"};
  }
  return {"workspace", "fork", test.made({"--seed-path", "seed", "--name", "test"}), "--name", "copy"};
}

void makes_as_many(Flags& test, const std::string& command) {
  const auto words = fork_of(test, command);
  EXPECT_EQ(test.with(words, {}).status, 0);
  EXPECT_EQ(test.workspace_ids().size(), 2U);
  EXPECT_EQ(test.with(words, {"--count", "3"}).status, 0);
  EXPECT_EQ(test.workspace_ids().size(), 5U);
  EXPECT_EQ(test.json({"workspace", "list", "--name", "copy-3"})["count"], 1);
}

void has_content_of_the_snapshot(Flags& test, const std::string& command) {
  const auto words = fork_of(test, command);
  EXPECT_EQ(test.in("test", "echo later > later").status, 0);
  EXPECT_EQ(test.with(words, {}).status, 0);
  EXPECT_EQ(test.in("copy", "ls").out, "first\nlater\n");
  test.expect(0, {"workspace", "delete", "copy"});
  EXPECT_EQ(test.with(words, {"--snapshot", "baseline"}).status, 0);
  EXPECT_EQ(test.in("copy", "ls").out, "first\n");
}

void forks_live_as_long(Flags& test, const std::string& command) {
  const auto words = fork_of(test, command);
  EXPECT_EQ(test.with(words, {"--ttl-seconds", "90"}).status, 0);
  const auto made = test.json({"workspace", "status", "copy"});
  EXPECT_LT(std::abs(made.value("expires_at", 0.0) - made.value("created_at", 0.0) - 90), 30) << made;
  test.expect(0, {"workspace", "delete", "copy"});
  EXPECT_EQ(test.with(words, {}).status, 0);
  const auto otherwise = test.json({"workspace", "status", "copy"})["expires_at"];
  EXPECT_TRUE(otherwise.is_null() || otherwise > made.value("expires_at", 0.0) + 300) << otherwise;
}

void prints_ids_alone(Flags& test, const std::string& command) {
  auto words = fork_of(test, command);
  EXPECT_TRUE(contains(test.with(words, {"--count", "2"}).out, "copy-1\n"));
  words.back() = "second";
  const auto ids = test.with(words, {"--count", "2", "--id-only"}).out;
  EXPECT_EQ(ids.size(), 2U * 13) << ids;
  test.expect(0, {"workspace", "status", ids.substr(0, 12)});
}

TEST_F(Flags, fork__count) {
  makes_as_many(*this, "fork");
}

TEST_F(Flags, workspace_fork__count) {
  makes_as_many(*this, "workspace fork");
}

TEST_F(Flags, fork__snapshot) {
  has_content_of_the_snapshot(*this, "fork");
}

TEST_F(Flags, workspace_fork__snapshot) {
  has_content_of_the_snapshot(*this, "workspace fork");
}

TEST_F(Flags, fork__ttl_seconds) {
  forks_live_as_long(*this, "fork");
}

TEST_F(Flags, workspace_fork__ttl_seconds) {
  forks_live_as_long(*this, "workspace fork");
}

TEST_F(Flags, fork__id_only) {
  prints_ids_alone(*this, "fork");
}

TEST_F(Flags, workspace_fork__id_only) {
  prints_ids_alone(*this, "workspace fork");
}

TEST_F(Flags, workspace_fork__name) {
  const auto id = made();
  expect(0, {"workspace", "fork", id});
  EXPECT_EQ(json({"workspace", "list", "--name", "copy"})["count"], 0);
  expect(0, {"workspace", "fork", id, "--name", "copy"});
  EXPECT_EQ(json({"workspace", "list", "--name", "copy"})["count"], 1);
}

} // namespace
} // namespace pyro::testing
