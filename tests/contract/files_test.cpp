// Single files of /workspace, and patches on them.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

Json write(Contract& test, const std::string& id, const std::string& path, const std::string& content) {
  return test.call("workspace_file_write", {{"workspace_id", id}, {"path", path}, {"content", content}});
}

std::string read(Contract& test, const std::string& id, const std::string& path) {
  return test.call("workspace_file_read", {{"workspace_id", id}, {"path", path}})["content"]
      .get<std::string>();
}

TEST_P(ContractContent, ws_files__list) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a.txt", "abc"}, {"d/b", "1"}}).string()}});
  exec(id, "ln -s a.txt link; mkfifo d/pipe");
  const auto listed = call("workspace_file_list", {{"workspace_id", id}});
  const Json expected = Json::array(
      {{{"path", "/workspace/a.txt"}, {"artifact_type", "file"}, {"size_bytes", 3}, {"link_target", nullptr}},
       {{"path", "/workspace/d"},
        {"artifact_type", "directory"},
        {"size_bytes", nullptr},
        {"link_target", nullptr}},
       {{"path", "/workspace/link"},
        {"artifact_type", "symlink"},
        {"size_bytes", nullptr},
        {"link_target", "a.txt"}}});
  EXPECT_EQ(listed["entries"], expected);
  EXPECT_EQ(listed["path"], "/workspace");
  const auto all = call("workspace_file_list", {{"workspace_id", id}, {"recursive", true}})["entries"];
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2]["path"], "/workspace/d/b");
  EXPECT_EQ(all[3]["artifact_type"], "other");
  const auto one = call("workspace_file_list", {{"workspace_id", id}, {"path", "d/b"}})["entries"];
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0]["size_bytes"], 1);
  fails(
      "workspace_file_list", {{"workspace_id", id}, {"path", "none"}}, ErrorCode::invalid_argument,
      "workspace path does not exist");
}

TEST_P(ContractContent, ws_files__read) {
  const auto id = create_id();
  exec(id, "printf 'h\\303\\244llo' > text; printf 'a\\000\\377' > binary; mkdir d; mkfifo pipe");
  const auto whole = call("workspace_file_read", {{"workspace_id", id}, {"path", "/workspace/text"}});
  EXPECT_EQ(whole["content"], "h\xc3\xa4llo");
  EXPECT_EQ(whole["encoding"], "utf-8");
  EXPECT_EQ(whole["truncated"], false);
  EXPECT_EQ(whole["size_bytes"], 6);
  const auto part = call("workspace_file_read", {{"workspace_id", id}, {"path", "text"}, {"max_chars", 2}});
  EXPECT_EQ(part["content"], "h\xc3\xa4");
  EXPECT_EQ(part["truncated"], true);
  const auto binary = call("workspace_file_read", {{"workspace_id", id}, {"path", "binary"}});
  EXPECT_EQ(binary["encoding"], "base64");
  EXPECT_EQ(binary["content"], "YQD/");
  exec(id, "head -c 100000 /dev/zero | tr '\\0' x > long");
  const auto capped = call("workspace_file_read", {{"workspace_id", id}, {"path", "long"}});
  EXPECT_EQ(capped["content"].get<std::string>().size(), 65536U);
  EXPECT_EQ(capped["truncated"], true);
  fails(
      "workspace_file_read", {{"workspace_id", id}, {"path", "d"}}, ErrorCode::invalid_argument,
      "is a directory");
  // A FIFO without a writer would block for ever whoever opens it.
  fails(
      "workspace_file_read", {{"workspace_id", id}, {"path", "pipe"}}, ErrorCode::invalid_argument,
      "special file");
  fails(
      "workspace_file_read", {{"workspace_id", id}, {"path", "text"}, {"max_chars", 0}},
      ErrorCode::invalid_argument, "max_chars must be between");
}

TEST_P(ContractAnyImage, ws_files__write) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a.sh", "old"}}).string()}});
  exec(id, "chmod 750 a.sh; chown 12:34 a.sh; mkdir d");
  const auto made = write(*this, id, "new/dir/f.txt", "h\xc3\xa4llo\n");
  EXPECT_EQ(made["path"], "/workspace/new/dir/f.txt");
  EXPECT_EQ(made["bytes_written"], 7);
  EXPECT_EQ(made["created"], true);
  const auto replaced = write(*this, id, "/workspace/a.sh", "new");
  const auto owner = output(id, "echo $(id -u):$(id -g)");
  EXPECT_EQ(replaced["created"], false);
  EXPECT_EQ(
      output(id, "cat new/dir/f.txt a.sh; stat -c ' %a %u:%g' a.sh new/dir/f.txt"),
      "h\xc3\xa4llo\nnew 750 " + output(id, "stat -c %u:%g a.sh") + " 644 " + owner);
  call(
      "workspace_file_write",
      {{"workspace_id", id}, {"path", "b"}, {"content", "AAH/"}, {"encoding", "base64"}});
  EXPECT_EQ(output(id, "od -An -tx1 b"), " 00 01 ff\n");
  fails(
      "workspace_file_write", {{"workspace_id", id}, {"path", "d"}, {"content", "x"}},
      ErrorCode::invalid_argument, "no regular file");
  fails(
      "workspace_file_write", {{"workspace_id", id}, {"path", "d/../../x"}, {"content", "x"}},
      ErrorCode::invalid_argument, "must stay inside /workspace");
  EXPECT_EQ(call("workspace_status", {{"workspace_id", id}})["command_count"], 5);
}

TEST_P(ContractContent, ws_files__write_is_atomic) {
  const auto id = create_id();
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  write(*this, id, "f", a);
  // Whoever reads meanwhile sees one or the other, whole.
  exec(
      id,
      "(while [ ! -e stop ]; do cat f > copy; echo $(wc -c < copy) $(tr -d a < copy | wc -c) >> seen; done; "
      "touch done) >/dev/null 2>&1 &");
  for (int i = 0; i < 10; ++i) {
    write(*this, id, "f", i % 2 == 0 ? b : a);
  }
  EXPECT_EQ(
      output(
          id, "touch stop; while [ ! -e done ]; do sleep 0.05; done; "
              "sort -u seen | grep -vE '^100000 (0|100000)$' || true"),
      "");
  EXPECT_NE(output(id, "wc -l < seen"), "0\n");
}

TEST_P(ContractSandbox, ws_files__confined) {
  const auto id = create_id();
  exec(
      id, "echo secret > /etc/outside; ln -s /etc/outside out; ln -s /etc etc; ln -s ../etc/outside up; "
          "echo in > inside; ln -s /workspace/inside good; ln -s loop loop");
  EXPECT_EQ(read(*this, id, "good"), "in\n");
  for (const auto* path : {"out", "etc/outside", "up"}) {
    fails(
        "workspace_file_read", {{"workspace_id", id}, {"path", path}}, ErrorCode::invalid_argument,
        "leads out");
    fails(
        "workspace_file_write", {{"workspace_id", id}, {"path", path}, {"content", "x"}},
        ErrorCode::invalid_argument, "leads out");
    fails(
        "workspace_file_list", {{"workspace_id", id}, {"path", path}}, ErrorCode::invalid_argument,
        "leads out");
  }
  fails(
      "workspace_file_read", {{"workspace_id", id}, {"path", "loop"}}, ErrorCode::invalid_argument,
      "too many symlinks");
  for (const auto* path : {"/etc/outside", "../etc/outside", "/workspace/../etc/outside", ""}) {
    fails(
        "workspace_file_read", {{"workspace_id", id}, {"path", path}}, ErrorCode::invalid_argument,
        "must stay inside /workspace");
  }
  write(*this, id, "good", "changed\n");
  EXPECT_EQ(
      output(id, "cat inside; readlink good; cat /etc/outside"), "changed\n/workspace/inside\nsecret\n");
}

TEST_P(ContractAnyImage, ws_files__patch) {
  const auto id = create_id(
      {{"seed_path",
        tree("seed", {{"a.txt", "1\n2\n3\n"}, {"gone/b.txt", "bye\n"}, {"old", "same\n"}}).string()}});
  exec(id, "chmod 600 a.txt");
  const auto result = call(
      "workspace_patch_apply",
      {{"workspace_id", id},
       {"patch",
        "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
        "diff --git a/gone/b.txt b/gone/b.txt\ndeleted file mode 100644\n--- a/gone/b.txt\n+++ /dev/null\n"
        "@@ -1 +0,0 @@\n-bye\n"
        "diff --git a/d/new.sh b/d/new.sh\nnew file mode 100755\n--- /dev/null\n+++ b/d/new.sh\n"
        "@@ -0,0 +1 @@\n+#!/bin/sh\n\\ No newline at end of file\n"
        "diff --git a/old b/renamed\nsimilarity index 100%\nrename from old\nrename to renamed\n"}});
  EXPECT_EQ(result["changed"], true);
  EXPECT_EQ(result["summary"], (Json{{"total", 5}, {"added", 2}, {"modified", 1}, {"deleted", 2}}));
  EXPECT_EQ(
      output(id, "find . -type f | sort; cat a.txt d/new.sh renamed; stat -c ' %a' a.txt d/new.sh; ls"),
      "./a.txt\n./d/new.sh\n./renamed\n1\ntwo\n3\n#!/bin/shsame\n 600\n 755\na.txt\nd\nrenamed\n");
}

TEST_P(ContractContent, ws_files__patch_checked_first) {
  const auto id =
      create_id({{"seed_path", tree("seed", {{"a", "1\n"}, {"b", "1\n"}, {"d/x", ""}}).string()}});
  exec(id, "ln -s b link; ln -s /etc out");
  const auto good = std::string("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n");
  const auto refused = [&](const std::string& bad, ErrorCode code, const std::string& fragment) {
    fails("workspace_patch_apply", {{"workspace_id", id}, {"patch", good + bad}}, code, fragment);
    EXPECT_EQ(output(id, "cat a b; find . | sort | tr '\\n' ' '"), "1\n1\n. ./a ./b ./d ./d/x ./link ./out ")
        << bad;
  };
  refused("--- a/b\n+++ b/b\n@@ -1 +1 @@\n-other\n+2\n", ErrorCode::bad_state, "patch does not apply: b:1");
  refused("--- a/none\n+++ b/none\n@@ -1 +1 @@\n-1\n+2\n", ErrorCode::bad_state, "it does not exist");
  refused("--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+2\n", ErrorCode::bad_state, "it exists already");
  refused("--- a/link\n+++ b/link\n@@ -1 +1 @@\n-1\n+2\n", ErrorCode::bad_state, "it is a symlink");
  refused("--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+2\n", ErrorCode::bad_state, "no regular file");
  refused(
      "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+2\n", ErrorCode::invalid_argument,
      "must stay inside /workspace");
  refused("--- /dev/null\n+++ b/out/x\n@@ -0,0 +1 @@\n+2\n", ErrorCode::invalid_argument, "leads out");
  refused("--- /dev/null\n+++ b/a/x\n@@ -0,0 +1 @@\n+2\n", ErrorCode::bad_state, "a is no directory");
  refused("--- a/b\n+++ b/b\n@@ -1,2 +1 @@\n-1\n+2\n", ErrorCode::invalid_argument, "line");
  fails(
      "workspace_patch_apply", {{"workspace_id", id}, {"patch", "no patch"}}, ErrorCode::invalid_argument,
      "no patch");
}

TEST_P(ContractContent, ws_files__stopped) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a", "1"}}).string()}});
  exec(id, "echo 2 > b");
  call("workspace_stop", {{"workspace_id", id}});
  EXPECT_EQ(read(*this, id, "a") + read(*this, id, "b"), "12\n");
  EXPECT_EQ(call("workspace_file_list", {{"workspace_id", id}})["entries"].size(), 2U);
  fails(
      "workspace_file_write", {{"workspace_id", id}, {"path", "a"}, {"content", "x"}}, ErrorCode::bad_state,
      "must be in 'started' state");
  fails(
      "workspace_patch_apply",
      {{"workspace_id", id},
       {"patch", "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+2\n"}},
      ErrorCode::bad_state, "must be in 'started' state");
}

} // namespace
} // namespace pyro::contract
