// Ordinary users on one cluster.
#include "fleet.hpp"

#include <iterator>
#include <map>

namespace pyro::testing {
namespace {

/// Programs, state directory and checkout lie where an ordinary user and the nodes reach them.
class FleetOfUsers : public Fleet {
protected:
  void SetUp() override {
    Fleet::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    fs::create_directory(cluster_directory() / "bin");
    for (const auto* program : {"pyro", "pyro-node", "pyro-supervisor", "pyro-agent", "pyro-gateway"}) {
      fs::copy_file(bin / program, cluster_directory() / "bin" / program);
    }
    for (const auto* user : {"pyro-tester", "pyro-tester-2"}) {
      RunOptions options;
      options.cwd = source_dir();
      options.env["PYRO_TEST_USER"] = user;
      const auto made = command({".ci/as-test-user", "true"}, options);
      ASSERT_EQ(made.status, 0) << made;
      fs::create_directories(checkout(user));
      fs::copy(project(), checkout(user), fs::copy_options::recursive);
      ASSERT_EQ(command({"chown", "-R", user, (cluster_directory() / user).string()}).status, 0);
    }
  }

  fs::path checkout(const std::string& user) const { return cluster_directory() / user / "checkout"; }

  Result as(const std::string& user, const Arguments& arguments) {
    auto options = on_cluster();
    options.cwd = checkout(user);
    options.env["HOME"] = (cluster_directory() / user).string();
    options.env["PYRO_HOME"] = (cluster_directory() / user / "state").string();
    options.env["PYRO_LIBEXEC"] = "";
    Arguments argv{"setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return command(argv, options);
  }

  Result pyro_as(const std::string& user, Arguments arguments) {
    arguments.insert(arguments.begin(), (cluster_directory() / "bin/pyro").string());
    return as(user, arguments);
  }

  Json json_as(const std::string& user, Arguments arguments) {
    arguments.emplace_back("--json");
    const auto result = pyro_as(user, arguments);
    EXPECT_EQ(result.status, 0) << result;
    return maybe_parse(result.out);
  }
};

TEST_F(FleetOfUsers, NobodySeesWhatIsAnothers) {
  const std::vector<std::string> users{"pyro-tester", "pyro-tester-2"};
  std::map<std::string, Json> status;
  for (const auto& user : users) {
    const auto applied = pyro_as(user, {"apply", "--yes", "--on", "slurm:pyro"});
    ASSERT_EQ(applied.status, 0) << applied;
    EXPECT_EQ(pyro_as(user, {"exec", "--", "cat", "hello"}).out, "from the checkout\n");
    status[user] = json_as(user, {"status"});
  }
  EXPECT_EQ(lease_directories().size(), 2U);
  for (const auto& user : users) {
    const auto& others = status[user == users[0] ? users[1] : users[0]];
    const auto job = others["place"]["job"].get<std::string>();
    EXPECT_EQ(json_as(user, {"ls"})["count"], 1);
    EXPECT_NE(pyro_as(user, {"status", "-w", others["workspace_id"].get<std::string>()}).status, 0);
    EXPECT_NE(as(user, {"srun", "--jobid=" + job, "--overlap", "true"}).status, 0);
    EXPECT_NE(as(user, {"scancel", job}).status, 0);
    int seen = 0;
    for (const auto& directory : lease_directories()) {
      const fs::path path(directory);
      const auto listed = command(
          {"nsenter", "--mount", "--target", std::next(path.begin(), 2)->string(), "--", "setpriv", "--reuid",
           user, "--regid", user, "--init-groups", "ls", "/tmp/" + path.filename().string()});
      seen += listed.status == 0 ? 1 : 0;
    }
    EXPECT_EQ(seen, 1) << "its own lease's directory, and no other";
  }
  for (const auto& user : users) {
    EXPECT_EQ(json_as(user, {"status"})["state"], "started");
    const auto destroyed = pyro_as(user, {"destroy", "--yes"});
    EXPECT_EQ(destroyed.status, 0) << destroyed;
  }
  EXPECT_EQ(slurm({"squeue", "-h"}), "");
  EXPECT_TRUE(lease_directories().empty());
}

} // namespace
} // namespace pyro::testing
