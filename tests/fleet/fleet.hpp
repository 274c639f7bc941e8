// A cluster of two nodes for each test, and a project that lives there.
#pragma once

#include "../support/leftovers.hpp"
#include "../support/terminal.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <thread>
#include <unistd.h>

namespace pyro::testing {

class Fleet : public Functional {
protected:
  void SetUp() override {
    if (::getuid() != 0) {
      GTEST_SKIP() << "only root can start the daemons of a cluster";
    }
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_cluster = fmt::format("/dev/shm/pyro-fleet-{}", ::getpid());
    cluster({"up", m_cluster.string(), "2"});
    spec("lifecycle: {ttl: 10m}\n");
    write_file(project() / "hello", "from the checkout\n");
  }

  void TearDown() override {
    if (m_cluster.empty()) {
      return;
    }
    const auto listed = json({"ls"}, on_cluster());
    for (const auto& placed : listed["workspaces"]) {
      expect(0, {"destroy", "--yes", "-w", placed["workspace_id"].get<std::string>()}, on_cluster());
    }
    EXPECT_EQ(lease_directories(), std::vector<std::string>()) << "leases left something on their nodes";
    cluster({"down", m_cluster.string()});
    Functional::TearDown();
  }

  void cluster(const Arguments& arguments) {
    Arguments argv{(source_dir() / "tests/fleet/cluster").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto result = command(argv);
    ASSERT_EQ(result.status, 0) << result;
  }

  void cut(const std::string& node) { cluster({"cut", m_cluster.string(), node}); }

  void mend(const std::string& node) { cluster({"mend", m_cluster.string(), node}); }

  RunOptions on_cluster() const {
    RunOptions options;
    options.env["SLURM_CONF"] = (m_cluster / "slurm.conf").string();
    return options;
  }

  Json told(const std::string& file = "pyro.yaml") { return json({"status", "-f", file}, on_cluster()); }

  /// Processes of this test's state directory that listen for it on this machine.
  std::vector<pid_t> carriers_of_ports() const {
    std::vector<pid_t> found;
    for (const auto pid : processes_naming(state().string())) {
      const auto line = os::maybe_read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
      if (contains(line, std::string("pyro-node\0carry", 15))) {
        found.push_back(pid);
      }
    }
    return found;
  }

  std::string slurm(const Arguments& argv) {
    const auto result = command(argv, on_cluster());
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }

  void place() { expect(0, {"apply", "--yes", "--on", "slurm:pyro"}, on_cluster()); }

  /// Waits until status says that it is lost.
  Json wait_until_lost(const std::string& file = "pyro.yaml") {
    Json status;
    for (int count = 0; count < 600; ++count) {
      const auto result = pyro({"status", "--json", "-f", file}, on_cluster());
      status = maybe_parse(result.out);
      if (result.status == 0 && status["state"] == "lost" && status["place"]["job_state"] != "COMPLETING") {
        return status;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    ADD_FAILURE() << "it is never lost: " << status;
    return status;
  }

  Result fetch(const std::string& url) { return command({"curl", "-sS", "--max-time", "20", url}); }

  static std::vector<std::string> list_names(const std::string& directory) {
    auto names = os::list_any_directory(directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  static Json maybe_parse(const std::string& text) {
    return Json::accept(text) ? Json::parse(text) : Json::object();
  }

  /// The process whose /tmp is the node's.
  std::string process_of(const std::string& node) const {
    const auto pid = os::maybe_read_file((m_cluster / "run" / (node + ".pid")).string()).value_or("");
    return pid.substr(0, pid.find('\n'));
  }

  /// What leases have on their nodes, as this machine sees it.
  std::vector<std::string> lease_directories() const {
    std::vector<std::string> found;
    for (const auto* node : {"n1", "n2"}) {
      const auto directory = fmt::format("/proc/{}/root/tmp", process_of(node));
      for (const auto& name : os::list_any_directory(directory)) {
        if (std::regex_match(name, std::regex("pyro-[0-9]+-[0-9]+"))) {
          found.push_back(directory + "/" + name);
        }
      }
    }
    return found;
  }

  const fs::path& cluster_directory() const { return m_cluster; }

private:
  fs::path m_cluster;
};

} // namespace pyro::testing
