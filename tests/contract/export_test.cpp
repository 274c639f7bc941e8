// Copying files and directories out of a workspace.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::contract {
namespace {

Json take_out(Contract& test, const std::string& id, const std::string& path, const fs::path& output) {
  return test.call(
      "workspace_export", {{"workspace_id", id}, {"path", path}, {"output_path", output.string()}});
}

TEST_P(ContractContent, export_exact) {
  const auto id = create_id({{"seed_path", tree("seed", {{"d/low", "from the seed"}, {"f", "1"}}).string()}});
  exec(
      id, "mkdir -p d/sub/empty; echo 2 > d/sub/file; ln -s ../../elsewhere d/link; chmod 755 d/sub/file; rm "
          "d/low; "
          "echo low2 > d/low2; chmod 600 d/low2");
  const auto directory = take_out(*this, id, "/workspace/d", root() / "out");
  EXPECT_EQ(directory["artifact_type"], "directory");
  EXPECT_EQ(directory["output_path"], (root() / "out").string());
  EXPECT_EQ(directory["entry_count"], 5);
  const auto mode = [](int bits) {
    return std::to_string(bits);
  };
  EXPECT_EQ(
      testing::tree_of(root() / "out"), (std::map<std::string, std::string>{
                                            {"link", "link ../../elsewhere"},
                                            {"low2", "file " + mode(0600) + " low2\n"},
                                            {"sub", "directory " + mode(0755)},
                                            {"sub/empty", "directory " + mode(0755)},
                                            {"sub/file", "file " + mode(0755) + " 2\n"}}));
  take_out(*this, id, "f", root() / "one");
  EXPECT_EQ(testing::read_file(root() / "one"), "1");
  take_out(*this, id, "d/link", root() / "symlink");
  EXPECT_EQ(fs::read_symlink(root() / "symlink"), "../../elsewhere");

  struct stat status {};

  ASSERT_EQ(::lstat((root() / "out/sub/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, ::geteuid());

  for (const auto* there : {"out", "one", "symlink"}) {
    fails(
        "workspace_export", {{"workspace_id", id}, {"path", "f"}, {"output_path", (root() / there).string()}},
        ErrorCode::already_exists, "output_path already exists");
  }
  fails(
      "workspace_export", {{"workspace_id", id}, {"path", "none"}, {"output_path", (root() / "x").string()}},
      ErrorCode::bad_state, "workspace path does not exist");
  fails(
      "workspace_export", {{"workspace_id", id}, {"path", "d/low"}, {"output_path", (root() / "x").string()}},
      ErrorCode::bad_state, "workspace path does not exist");
  EXPECT_FALSE(fs::exists(root() / "x"));
}

TEST_P(ContractContent, export_exact__stopped) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a", "1"}}).string()}});
  exec(id, "echo 2 > b");
  call("workspace_stop", {{"workspace_id", id}});
  take_out(*this, id, "/workspace", root() / "out");
  EXPECT_EQ(testing::read_file(root() / "out/a") + testing::read_file(root() / "out/b"), "12\n");
}

// security.md: a FIFO, socket or device as export source must not block; a symlink on the way leads nowhere.
TEST_P(ContractSandbox, export_exact__hostile_content) {
  const auto id = create_id();
  exec(
      id,
      "mkdir -p d locked; mkfifo d/pipe; nc -l -U d/socket >/dev/null 2>&1 & ln -s /etc/passwd d/passwd; "
      "ln -s /etc out; echo x > locked/f; chmod 0 locked/f; chmod 500 locked; head -c 5 /dev/zero > "
      "d/sparse; "
      "truncate -s 1G d/sparse; chmod u+s d/sparse; printf x > \"d/$(printf 'new\\nline\\033')\"; sleep 0.2");
  const auto result = take_out(*this, id, "d", root() / "out");
  EXPECT_GE(result["left_out"], 1);
  EXPECT_FALSE(fs::exists(fs::symlink_status(root() / "out/pipe")));
  EXPECT_EQ(fs::read_symlink(root() / "out/passwd"), "/etc/passwd");
  EXPECT_TRUE(fs::exists(root() / "out/new\nline\033"));

  struct stat status {};

  ASSERT_EQ(::lstat((root() / "out/sparse").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 1 << 30);
  EXPECT_LT(status.st_blocks, 4096) << "holes were filled";
  EXPECT_EQ(status.st_mode & 07000, 0U) << "a set-id bit came out";

  fails(
      "workspace_export",
      {{"workspace_id", id}, {"path", "d/pipe"}, {"output_path", (root() / "p").string()}},
      ErrorCode::invalid_argument, "neither a file nor a directory");
  for (const auto* path : {"out/passwd", "../etc/passwd", "/etc/passwd", "/"}) {
    fails(
        "workspace_export", {{"workspace_id", id}, {"path", path}, {"output_path", (root() / "p").string()}},
        ErrorCode::invalid_argument, "/workspace");
  }
  EXPECT_FALSE(fs::exists(root() / "p"));
  take_out(*this, id, "locked", root() / "locked");
  EXPECT_EQ(fs::status(root() / "locked").permissions(), fs::perms(0500));
  fs::permissions(root() / "locked", fs::perms(0700));
}

} // namespace
} // namespace pyro::contract
