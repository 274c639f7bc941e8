// Flags of `pyro env …` and of snapshots as images.
#include "../support/hostile_registry.hpp"
#include "../support/registry.hpp"
#include "flags.hpp"

namespace pyro::testing {
namespace {

/// What of the layout says this, in the index or a small document.
bool says(const fs::path& layout, const std::string& text) {
  for (const auto& entry : fs::recursive_directory_iterator(layout)) {
    if (entry.is_regular_file() && entry.file_size() < 65536 && contains(read_file(entry.path()), text)) {
      return true;
    }
  }
  return false;
}

TEST_F(Flags, env_pull__refresh) {
  Image image;
  image.layer = archive_of(project() / "root");
  image.finish();
  const HostileRegistry registry([&](const std::string& path, const std::string&) { return image(path); });
  const auto name = registry.address() + "/team/image:1";
  expect(0, {"env", "pull", name});
  const auto digest = [&] {
    return json({"env", "inspect", name})["layers"].dump();
  };
  const auto first = digest();
  write_file(project() / "root/etc/next", "next\n");
  image.layer = archive_of(project() / "root");
  image.finish();
  expect(0, {"env", "pull", name});
  EXPECT_EQ(digest(), first);
  expect(0, {"env", "pull", name, "--refresh"});
  EXPECT_NE(digest(), first);
}

TEST_F(Flags, env_prune__dry_run) {
  expect(0, {"env", "pull", image()});
  EXPECT_TRUE(contains(expect(0, {"env", "prune", "--dry-run"}).out, "root"));
  EXPECT_EQ(json({"env", "list"})["environments"].size(), 1U);
  expect(0, {"env", "prune"});
  EXPECT_EQ(json({"env", "list"})["environments"].size(), 0U);
}

/// A snapshot "mine" of the file's workspace.
void save_one(Flags& test) {
  test.file();
  test.expect(0, {"apply"});
  EXPECT_EQ(test.inside("echo mine > mine").status, 0);
  test.expect(0, {"snapshot", "save", "mine"});
}

TEST_F(Flags, snapshot_export__compression) {
  save_one(*this);
  expect(0, {"snapshot", "export", "mine", "otherwise"});
  EXPECT_TRUE(says(project() / "otherwise", "layer.v1.tar+gzip"));
  for (const auto* form : {"gzip", "zstd", "none"}) {
    expect(0, {"snapshot", "export", "mine", form, "--compression", form});
    EXPECT_EQ(says(project() / form, "layer.v1.tar+gzip"), std::string(form) == "gzip");
    EXPECT_EQ(says(project() / form, "layer.v1.tar+zstd"), std::string(form) == "zstd");
    EXPECT_EQ(says(project() / form, "layer.v1.tar\""), std::string(form) == "none");
  }
}

TEST_F(Flags, snapshot_export__tag) {
  save_one(*this);
  expect(0, {"snapshot", "export", "mine", "otherwise"});
  expect(0, {"snapshot", "export", "mine", "told", "--tag", "release-1"});
  EXPECT_TRUE(says(project() / "otherwise", "\"mine\"") && !says(project() / "otherwise", "release-1"));
  EXPECT_TRUE(says(project() / "told", "\"release-1\""));
}

TEST_F(Flags, snapshot_import__name) {
  save_one(*this);
  expect(0, {"snapshot", "export", "mine", "image", "--tag", "tagged"});
  expect(0, {"snapshot", "import", "image"});
  expect(0, {"snapshot", "import", "image", "--name", "named"});
  EXPECT_EQ(joined(json({"snapshot", "ls"})["snapshots"], "snapshot_name"), "baseline mine tagged named");
  expect(0, {"reset", "--yes", "--to", "named"});
  EXPECT_EQ(inside("cat mine").out, "mine\n");
}

TEST_F(Flags, snapshot_push__compression) {
  save_one(*this);
  const Registry registry(root() / "registry");
  for (const auto& flags : {Arguments{}, {"--compression", "zstd"}}) {
    const auto name = registry.address() + "/team/app:" + (flags.empty() ? "otherwise" : "told");
    EXPECT_EQ(with({"snapshot", "push", "mine", name}, flags).status, 0);
    const auto manifest =
        command({"skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + name}).out;
    EXPECT_EQ(contains(manifest, "gzip"), flags.empty()) << manifest;
    EXPECT_EQ(contains(manifest, "zstd"), !flags.empty()) << manifest;
  }
}

TEST_F(Flags, snapshot_pull__name) {
  save_one(*this);
  const Registry registry(root() / "registry");
  const auto name = registry.address() + "/team/app:tagged";
  expect(0, {"snapshot", "push", "mine", name});
  expect(0, {"snapshot", "pull", name});
  expect(0, {"snapshot", "pull", name, "--name", "named"});
  EXPECT_EQ(joined(json({"snapshot", "ls"})["snapshots"], "snapshot_name"), "baseline mine tagged named");
}

} // namespace
} // namespace pyro::testing
