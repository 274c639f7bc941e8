// Bringing directories and archives into a started workspace.
#include "../unit/os/archive_fixture.hpp"
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <sys/stat.h>

namespace pyro::contract {
namespace {

using os::testing::Member;
using os::testing::tar_member;

Json push(
    Contract& test, const std::string& id, const fs::path& source, const std::string& dest = "/workspace") {
  return test.call(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}, {"dest", dest}});
}

/// Everything below /workspace with content, as the inside sees it.
std::string inside(Contract& test, const std::string& id) {
  return test.output(
      id,
      "find . -mindepth 1 | sort | while read -r p; do "
      "if [ -L \"$p\" ]; then echo \"$p -> $(readlink \"$p\")\"; "
      "elif [ -d \"$p\" ]; then echo \"$p/\"; else echo \"$p $(stat -c %a \"$p\") $(cat \"$p\")\"; fi; done");
}

/// Changes are prepared beside /workspace.
void no_staging_is_left(Contract& test, const std::string& id) {
  EXPECT_EQ(test.output(id, "ls -A .. | grep pyro || true"), "");
}

/// A push of this archive fails with the fragment and leaves no trace inside.
void refused(Contract& test, const std::string& id, const std::string& bytes, const std::string& fragment) {
  const auto before = inside(test, id);
  const auto path = test.root() / "bad.tar";
  testing::write_file(path, bytes + std::string(1024, '\0'));
  test.fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", path.string()}}, ErrorCode::invalid_file,
      fragment);
  EXPECT_EQ(inside(test, id), before) << fragment;
  no_staging_is_left(test, id);
  const auto staging = test.base() / "store/staging";
  EXPECT_TRUE(!fs::exists(staging) || fs::is_empty(staging)) << fragment;
}

TEST_P(ContractAnyImage, ws_sync_push__directory) {
  const auto id =
      create_id({{"seed_path", tree("seed", {{"kept.txt", "kept"}, {"sub/old.txt", "old"}}).string()}});
  const auto seed_before = call("workspace_status", {{"workspace_id", id}})["workspace_seed"];
  const auto source = tree("source", {{"old.txt", "new"}, {"deep/er/file", "deep"}, {"run.sh", "#!"}});
  fs::permissions(source / "run.sh", fs::perms(0755));
  fs::create_symlink("nowhere/at/all", source / "link");
  fs::create_directory(source / "empty");
  ASSERT_EQ(::mkfifo((source / "fifo").c_str(), 0600), 0);

  const auto result = push(*this, id, source, "sub");
  EXPECT_EQ(result["workspace_id"], id);
  EXPECT_EQ(result["workspace_sync"]["mode"], "directory");
  EXPECT_EQ(result["workspace_sync"]["destination"], "/workspace/sub");
  EXPECT_EQ(result["workspace_sync"]["left_out"], 1);
  EXPECT_EQ(result["workspace_sync"]["entry_count"], 7);
  EXPECT_EQ(result["workspace_sync"]["bytes_written"], 9);
  EXPECT_EQ(
      inside(*this, id),
      "./kept.txt 644 kept\n./sub/\n./sub/deep/\n./sub/deep/er/\n./sub/deep/er/file 644 deep\n"
      "./sub/empty/\n./sub/link -> nowhere/at/all\n./sub/old.txt 644 new\n./sub/run.sh 755 #!\n");
  const auto status = call("workspace_status", {{"workspace_id", id}});
  EXPECT_EQ(status["workspace_seed"], seed_before);
  EXPECT_EQ(status["command_count"], 1); // the one that looked inside
  EXPECT_EQ(call("workspace_logs", {{"workspace_id", id}})["count"], 1);
}

TEST_P(ContractContent, ws_sync_push__archives) {
  const auto source = tree("source", {{"a.txt", "A"}, {"d/b.txt", "B"}});
  const auto id = create_id();
  const std::map<std::string, std::string> kinds{
      {"x.tar", ""}, {"x.tar.gz", "--gzip"}, {"x.tgz", "--gzip"}, {"x.tar.zst", "--zstd"}};
  for (const auto& [name, filter] : kinds) {
    os::Command tar{.argv = {"tar", "-C", source.string(), "-cf", (root() / name).string(), "."}};
    if (!filter.empty()) {
      tar.argv.push_back(filter);
    }
    const auto made = os::run(tar);
    ASSERT_TRUE(made.outcome.ok()) << made.err;
    const auto result = push(*this, id, root() / name, "/workspace/" + name);
    EXPECT_EQ(result["workspace_sync"]["mode"], "tar_archive");
    EXPECT_EQ(result["workspace_sync"]["destination"], "/workspace/" + name);
    EXPECT_EQ(output(id, "cat " + name + "/a.txt " + name + "/d/b.txt"), "AB");
  }
}

TEST_P(ContractContent, ws_sync_push__replaces_and_keeps) {
  const auto id = create_id();
  exec(id, "mkdir -p d other; echo 1 > d/f; echo stays > d/g; ln -s other link; echo x > file");
  const auto source =
      tree("source", {{"d/f", "2\n"}, {"link/inside", "real"}, {"file/below", "directory now"}});
  push(*this, id, source);
  EXPECT_EQ(
      inside(*this, id),
      "./d/\n./d/f 644 2\n./d/g 644 stays\n./file/\n./file/below 644 directory now\n./link/\n"
      "./link/inside 644 real\n./other/\n");
  const auto again = push(*this, id, source);
  EXPECT_EQ(again["workspace_sync"]["added"], 0);
  EXPECT_EQ(again["workspace_sync"]["replaced"], 0);
  EXPECT_EQ(again["workspace_sync"]["unchanged"], 3);
}

TEST_P(ContractContent, ws_sync_push__all_or_nothing) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a", "1"}, {"z/keep", "2"}}).string()}});
  exec(id, "echo mine > own; mkdir sub; echo s > sub/s");
  const auto before = inside(*this, id);
  // By the time the last name is found to be a directory, the others have been put in place.
  const auto source =
      tree("source", {{"a", "other"}, {"b/c", "new"}, {"own", "theirs"}, {"sub/s", "t"}, {"z", "file"}});
  fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}}, ErrorCode::bad_state,
      "'z' is a directory");
  EXPECT_EQ(inside(*this, id), before);
  no_staging_is_left(*this, id);
  fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", (root() / "none").string()}},
      ErrorCode::input_missing, "does not exist");
  fails(
      "workspace_sync_push",
      {{"workspace_id", id}, {"source_path", (root() / "source/a").string()}, {"dest", "x"}},
      ErrorCode::invalid_argument, "neither a directory nor named like an archive");
  fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}, {"dest", "own"}},
      ErrorCode::invalid_argument, "no directory");
}

TEST_P(ContractSandbox, ws_sync_push__belongs_to_the_user) {
  const auto id = create_id();
  push(*this, id, tree("source", {{"d/f", "1"}}), "into");
  EXPECT_EQ(output(id, "stat -c %u:%g into into/d into/d/f"), "0:0\n0:0\n0:0\n");
}

TEST_P(ContractContent, ws_sync_push__large) {
  const auto id = create_id();
  const auto source = root() / "large";
  fs::create_directories(source);
  std::string block(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) {
    block[static_cast<std::size_t>(i)] = static_cast<char>('a' + i);
    testing::append_file(source / "twenty", block);
  }
  for (int i = 0; i < 500; ++i) {
    testing::write_file(source / fmt::format("d{}/f{}", i % 7, i), std::to_string(i));
  }
  const auto result = push(*this, id, source);
  EXPECT_GE(result["workspace_sync"]["bytes_written"], 20 << 20);
  EXPECT_EQ(output(id, "find . -type f | wc -l"), "501\n");
  const auto here = os::run({.argv = {"sha256sum", (source / "twenty").string()}}).out.substr(0, 64);
  EXPECT_EQ(output(id, "sha256sum twenty").substr(0, 64), here);
}

TEST_P(ContractContent, ws_sync_state) {
  const auto id = create_id();
  const auto source = tree("source", {{"a", "1"}});
  call("workspace_stop", {{"workspace_id", id}});
  fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}}, ErrorCode::bad_state,
      "must be in 'started' state before workspace_sync_push");
}

TEST_P(ContractContent, ws_sync_escape) {
  const auto id = create_id();
  const auto source = tree("source", {{"a", "1"}});
  for (const auto* dest : {"../escape", "/etc", "a/../../etc", "/workspace/../etc", "/", "/workspacer"}) {
    fails(
        "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}, {"dest", dest}},
        ErrorCode::invalid_argument, "workspace destination must stay inside /workspace");
  }
  exec(id, "ln -s /etc out; mkdir real; ln -s real in");
  fails(
      "workspace_sync_push", {{"workspace_id", id}, {"source_path", source.string()}, {"dest", "out/x"}},
      ErrorCode::invalid_argument, "leads out of /workspace");
  push(*this, id, source, "in/x");
  EXPECT_EQ(output(id, "cat real/x/a"), "1");
  EXPECT_EQ(output(id, "ls -d /etc/x /etc/a 2>/dev/null || true"), "");
}

TEST_P(ContractContent, ws_unsafe_archive) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a", "1"}}).string()}});
  refused(*this, id, tar_member({.name = "../out", .data = "x"}), "unsafe archive member path");
  refused(*this, id, tar_member({.name = "/etc/passwd", .data = "x"}), "unsafe archive member path");
  refused(
      *this, id, tar_member({.name = "fine"}) + tar_member({.name = "d/../../out"}),
      "unsafe archive member path");
  refused(*this, id, tar_member({.name = "dev", .type = '3'}), "unsafe archive member path");
  refused(*this, id, tar_member({.name = "pipe", .type = '6'}), "unsafe archive member path");
  refused(
      *this, id, tar_member({.name = "hard", .type = '1', .link = "../../etc/passwd"}),
      "unsafe archive member path");
  refused(
      *this, id,
      tar_member({.name = "ok", .data = "1"}) + tar_member({.name = "s", .type = '2', .link = "/etc"})
          + tar_member({.name = "s/x", .data = "x"}),
      "traverse through a symlinked path");
}

} // namespace
} // namespace pyro::contract
