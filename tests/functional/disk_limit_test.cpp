// resources.disk of a namespace sandbox: whatever way it is filled, the writers are stopped near the limit,
// everybody is told, and the workspace can be used again (docs/decisions/0038).
#include "../support/home.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tree_usage.hpp>
#include <pyro/os/tree_walk.hpp>

#include <fmt/format.h>

#include <atomic>
#include <sstream>
#include <thread>

namespace pyro::testing {
namespace {

constexpr std::uint64_t k_mib = 1 << 20;
constexpr std::uint64_t k_limit = 64 * k_mib;
/// Far more than it takes on an idle machine (some 40 MiB): this one may be busy. The attacker wants 3 GiB.
constexpr std::uint64_t k_slack = 1024 * k_mib;

class DiskLimit : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    write_file(project() / "canary.txt", "untouched\n");
    fs::copy_file(binary_dir() / "bin/attacks/attack_disk", project() / "attack_disk");
    limit("64MiB");
  }

  void limit(const std::string& size) {
    write_file(
        project() / "pyro.yaml",
        fmt::format(
            "version: 1\nenvironment:\n  image: host\n  resources: {{disk: {}}}\nseed: {{from: .}}\n"
            "services:\n  idle: {{command: exec sleep 1000, restart: always}}\n",
            size));
  }

  /// What the writable layers of this home take, asked of the host.
  std::uint64_t written() const {
    std::uint64_t bytes = 0;
    for (const auto& id : workspace_ids()) {
      const auto path = (state() / "workspaces" / id / "generations").string();
      try {
        bytes += os::usage_of_tree(os::open_directory(path).get()).bytes;
      } catch (const Error&) {
        // as an ordinary user: others own it, and the supervisor's own count has to do
      }
    }
    return bytes;
  }

  /// Runs a command inside to its end, looking from outside all the time.
  Result attack(const Arguments& argv) {
    std::atomic<bool> ended = false;
    std::uint64_t most = 0;
    std::thread watcher([&] {
      while (!ended) {
        most = std::max(most, written());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
    Arguments all{"exec", "--"};
    all.insert(all.end(), argv.begin(), argv.end());
    const auto result = pyro(all);
    ended = true;
    watcher.join();
    EXPECT_LT(most, k_limit + k_slack) << result;
    return result;
  }

  void expect_stopped(const Result& result, const std::string& reason) {
    EXPECT_EQ(result.status, 137) << result;
    EXPECT_EQ(result.out.find("SUCCEEDED"), std::string::npos) << result;
    EXPECT_NE(result.err.find("stopped: " + reason), std::string::npos) << result;
  }

  Json disk() { return json({"status"})["disk"]; }
};

class DiskLimitBy : public DiskLimit, public ::testing::WithParamInterface<const char*> {};

TEST_P(DiskLimitBy, WritersAreStoppedAndTheRestGoesOn) {
  expect(0, {"apply"});
  const auto result = attack({"./attack_disk", GetParam()});
  const bool by_entries = GetParam() == std::string_view("empty");
  expect_stopped(
      result, by_entries
                  ? "the workspace's limit of 65536 files (environment.resources.disk = 64MiB) is reached"
                  : "the workspace's disk limit (environment.resources.disk = 64MiB) is reached");
  const auto status = json({"status"});
  EXPECT_EQ(status["state"], "started");
  EXPECT_EQ(status["disk"]["limit_bytes"], k_limit);
  EXPECT_EQ(status["disk"]["stopped"]["code"], by_entries ? "disk_entries" : "disk_limit") << status["disk"];
  EXPECT_EQ(status["services"][0]["state"], "failed") << status["services"];
  EXPECT_NE(status["services"][0]["reason"].get<std::string>().find("limit"), std::string::npos);
  const auto told = expect(0, {"events"}).out;
  EXPECT_TRUE(contains(told, "supervisor project: environment.resources.disk the workspace's ")) << told;
  const auto text = expect(0, {"status"});
  EXPECT_NE(text.out.find("environment.resources.disk = 64MiB"), std::string::npos) << text;

  // It can be looked into, cleaned up in, and thrown away.
  EXPECT_EQ(inside("cat canary.txt").out, "untouched\n");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("ls").out, "attack_disk\ncanary.txt\n");
  EXPECT_EQ(disk()["stopped"], Json());
  EXPECT_LT(written(), k_limit);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, DiskLimitBy, ::testing::Values("plain", "sparse", "deleted", "mapped", "small", "empty", "many"),
    [](const auto& info) { return std::string(info.param); });

/// The file is held by a mapping alone; only root can look at what a mapping holds.
TEST_F(DiskLimit, AMappingOfADeletedFile) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "an ordinary user's supervisor cannot see these (docs/decisions/0038)";
  }
  expect(0, {"apply"});
  expect_stopped(attack({"./attack_disk", "mapped-deleted"}), "the workspace's disk limit");
}

TEST_F(DiskLimit, RoomIsNotTakenAtOnce) {
  expect(0, {"apply"});
  const auto result = expect(0, {"exec", "--", "./attack_disk", "fallocate"});
  EXPECT_EQ(result.out.find("SUCCEEDED"), std::string::npos) << result;
}

TEST_F(DiskLimit, JsonSaysWhoEndedTheCommandAndWhichFileIsLargest) {
  expect(0, {"apply"});
  const auto result = pyro({"exec", "--json", "--", "sh", "-c", "echo begun; ./attack_disk plain"});
  const auto answer = Json::parse(result.out);
  EXPECT_EQ(answer["stopped_by"], "disk_limit") << answer;
  EXPECT_EQ(answer["exit_code"], 137);
  EXPECT_EQ(answer["stdout"], "begun\n");
  EXPECT_NE(answer["note"].get<std::string>().find("environment.resources.disk = 64MiB"), std::string::npos);
  const auto stopped = disk()["stopped"];
  EXPECT_EQ(stopped["largest_file"], "/workspace/plain") << stopped;
  EXPECT_GT(stopped["largest_file_bytes"], k_limit - 8 * k_mib);
}

TEST_F(DiskLimit, WhoIsOverItMayCleanUpAndIsStoppedAgainWhenItGrows) {
  expect(0, {"apply"});
  expect_stopped(attack({"./attack_disk", "plain"}), "the workspace's disk limit");
  EXPECT_EQ(inside("echo small > note.txt; cat note.txt").out, "small\n");
  expect_stopped(attack({"./attack_disk", "sparse"}), "the workspace's disk limit");
  EXPECT_EQ(inside("rm plain sparse && cat note.txt").out, "small\n");
  expect_stopped(attack({"./attack_disk", "plain"}), "the workspace's disk limit");
}

TEST_F(DiskLimit, WhatIsWithinItIsLeftAlone) {
  expect(0, {"apply"});
  // Written again and again, with holes, in hard links: 32 MiB at any time.
  const auto result =
      inside("for i in $(seq 20); do dd if=/dev/zero of=a bs=1M count=32 status=none; ln -f a b; ln -f a c; "
             "truncate -s 10G hole; done; echo done");
  EXPECT_EQ(result.out, "done\n") << result;
  EXPECT_EQ(disk()["stopped"], Json());
  EXPECT_EQ(json({"status"})["services"][0]["state"], "ready");
}

TEST_F(DiskLimit, ALargerOneHoldsAtOnceAndASmallerOneReplaces) {
  expect(0, {"apply"});
  limit("256MiB");
  const auto plan = expect(0, {"plan"});
  EXPECT_NE(plan.out.find("environment.resources.disk"), std::string::npos) << plan;
  const auto before = json({"status"})["sandbox_pid"];
  expect(0, {"apply"});
  EXPECT_EQ(json({"status"})["sandbox_pid"], before) << "growing does not restart the sandbox";
  EXPECT_EQ(disk()["limit_bytes"], 256 * k_mib);
  EXPECT_EQ(inside("dd if=/dev/zero of=big bs=1M count=128 status=none; echo fits").out, "fits\n");
  limit("64MiB");
  EXPECT_NE(expect(0, {"plan"}).out.find("replace"), std::string::npos);
}

TEST_F(DiskLimit, AStepIsHeldToItAndSaysSo) {
  append_file(project() / "pyro.yaml", "prepare:\n  - {id: fill, run: ./attack_disk plain}\n");
  const auto result = pyro({"apply"});
  EXPECT_NE(result.status, 0);
  EXPECT_NE(
      result.err.find(
          "was stopped: the workspace's disk limit (environment.resources.disk = 64MiB) is reached"),
      std::string::npos)
      << result;
}

TEST_F(DiskLimit, FileSystemsInMemoryAreBoundedInBytesAndFiles) {
  expect(0, {"apply"});
  const auto list =
      inside("for at in $(awk '$3 == \"tmpfs\" && $4 !~ /^ro(,|$)/ {print $2}' /proc/self/mounts); do "
             "df --output=size,itotal,target $at | tail -n 1; done");
  std::istringstream lines(list.out);
  std::uint64_t kib = 0;
  std::uint64_t files = 0;
  int count = 0;
  for (std::string target; lines >> kib >> files >> target; ++count) {
    EXPECT_LE(kib, 256U << 10) << target;
    EXPECT_LE(files, 64U << 10) << target;
  }
  EXPECT_GE(count, 3) << list;
}

TEST_F(DiskLimit, AnotherWorkspaceIsNotTouched) {
  expect(0, {"apply"});
  const auto other = another_project("other");
  fs::copy(project(), other, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const RunOptions there{.cwd = other};
  expect(0, {"apply"}, there);
  auto working = start({"exec", "--", "sh", "-c", "sleep 1000"}, there);
  expect_stopped(attack({"./attack_disk", "plain"}), "the workspace's disk limit");
  EXPECT_FALSE(working.try_wait().has_value());
  const auto status = json({"status"}, there);
  EXPECT_EQ(status["disk"]["stopped"], Json());
  EXPECT_EQ(status["services"][0]["state"], "ready");
}

} // namespace
} // namespace pyro::testing
