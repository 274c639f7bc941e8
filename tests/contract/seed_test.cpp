// ws-seed-dir, ws-seed-tar, ws-create-cleanup: what /workspace begins with, and nothing where that fails.
#include "../support/leftovers.hpp"
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

namespace pyro::contract {
namespace {

const std::map<std::string, std::string> k_files{{"top.txt", "top\n"}, {"dir/inner.txt", "inner\n"}};

class ContractSeed : public ContractSandbox {
public:
  /// An archive of k_files, made by tar(1).
  fs::path archive(const std::string& name, const std::vector<std::string>& flags) {
    tree("packed", k_files);
    os::Command command{.argv = {"tar"}};
    command.argv.insert(command.argv.end(), flags.begin(), flags.end());
    const auto path = root() / name;
    for (const auto& word :
         {std::string("-cf"), path.string(), std::string("-C"), (root() / "packed").string(),
          std::string(".")}) {
      command.argv.push_back(word);
    }
    const auto made = os::run(command);
    EXPECT_TRUE(made.outcome.ok()) << made.err;
    return path;
  }

  std::vector<std::string> directories_of_workspaces() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(base() / "workspaces")) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
};

/// k_files and their directory, with `links` beside.
void expect_seed(
    Contract& contract, const Json& workspace, const std::string& mode, const fs::path& path, int links = 0) {
  const auto id = workspace["workspace_id"].get<std::string>();
  EXPECT_EQ(
      workspace["workspace_seed"],
      (Json{
          {"mode", mode}, {"seed_path", path.string()}, {"entry_count", 3 + links}, {"bytes_written", 10}}));
  EXPECT_EQ(contract.output(id, "cat top.txt dir/inner.txt"), "top\ninner\n");
  EXPECT_EQ(
      contract.call("workspace_status", {{"workspace_id", id}})["workspace_seed"],
      workspace["workspace_seed"]);
}

TEST_P(ContractSeed, ws_seed_dir) {
  const auto seed = tree("seed", k_files);
  fs::create_directory_symlink(seed, root() / "link");
  fs::create_symlink("top.txt", seed / "alias");
  fs::create_directories(seed / "empty");
  const auto workspace = create({{"seed_path", (root() / "link/../link").string()}});
  expect_seed(*this, workspace, "directory", fs::canonical(seed), 2);
  const auto id = workspace["workspace_id"].get<std::string>();
  EXPECT_EQ(output(id, "readlink alias; ls -d empty"), "top.txt\nempty\n");
  // Not shared with this machine, either way.
  output(id, "echo changed > top.txt");
  EXPECT_EQ(testing::read_file(seed / "top.txt"), "top\n");
}

TEST_P(ContractSeed, ws_seed_tar) {
  expect_seed(*this, create({{"seed_path", archive("a.tar", {})}}), "tar_archive", root() / "a.tar");
  expect_seed(
      *this, create({{"seed_path", archive("b.tar.gz", {"-z"})}}), "tar_archive", root() / "b.tar.gz");
  expect_seed(*this, create({{"seed_path", archive("c.tgz", {"-z"})}}), "tar_archive", root() / "c.tgz");
}

TEST_P(ContractSeed, ws_seed_tar__zst) {
  expect_seed(
      *this, create({{"seed_path", archive("d.tar.zst", {"--zstd"})}}), "tar_archive", root() / "d.tar.zst");
}

TEST_P(ContractSeed, ws_seed_dir__refused) {
  fails(
      "workspace_create", {{"environment", environment()}, {"seed_path", (root() / "none").string()}},
      ErrorCode::invalid_argument, "does not exist");
  tree("plain", {{"file", "x"}});
  fails(
      "workspace_create", {{"environment", environment()}, {"seed_path", (root() / "plain/file").string()}},
      ErrorCode::invalid_argument, "neither a directory nor an archive");
}

TEST_P(ContractSeed, ws_create_cleanup__seed) {
  testing::write_file(root() / "broken.tar", "this is no archive, but it is called one\n");
  fails(
      "workspace_create", {{"environment", environment()}, {"seed_path", (root() / "broken.tar").string()}},
      ErrorCode::invalid_file, "broken.tar");
  EXPECT_EQ(directories_of_workspaces(), std::vector<std::string>{});
  EXPECT_EQ(call("workspace_list")["count"], 0);
}

TEST_P(ContractSeed, ws_create_cleanup__boot) {
  auto broken = settings();
  broken.agent_path = "/bin/false"; // a sandbox whose agent does not answer
  const auto engine = operations::make_engine(broken, {});
  EXPECT_THROW(engine->call("workspace_create", {{"environment", environment()}, {"name", "never"}}), Error);
  EXPECT_EQ(directories_of_workspaces(), std::vector<std::string>{});
  EXPECT_EQ(testing::processes_naming(base().string()), (std::vector<pid_t>{}));
  EXPECT_EQ(call("workspace_list")["count"], 0);
}

TEST_P(ContractSeed, ws_create_cleanup__killed) {
  // As it is when the process that makes it is killed: the record names a maker that is not there any more.
  const auto id = create_id({{"name", "half"}});
  const auto path = base() / "workspaces" / id / "workspace.json";
  auto record = Json::parse(testing::read_file(path));
  record["maker"] = {{"pid", 1}, {"start_time", 1}, {"boot_id", "an earlier one"}};
  testing::write_file(path, record.dump());
  reopen();
  fails("workspace_status", {{"workspace_id", "half"}}, ErrorCode::not_found, "does not exist");
  EXPECT_EQ(call("workspace_list")["count"], 0);
  EXPECT_EQ(directories_of_workspaces(), std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(On, ContractSeed, ::testing::ValuesIn(sandboxes()), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::contract
