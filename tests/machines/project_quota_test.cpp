// Quotas of projects need a file system that has them, and most machines' kernels lack them: so it is made in
// a guest, with modules of the guest's kernel that guests otherwise do without.
#include "../support/sampling.hpp"
#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <sstream>

namespace pyro::testing {
namespace {

constexpr std::uint64_t k_limit = 8 << 20;
constexpr std::size_t k_tried = 3; // of the ways and places, by chance: an emulated processor takes its time

class ProjectQuotaInAGuest : public Machines {
protected:
  void SetUp() override {
    Machines::SetUp();
    const auto guest = root() / "busybox";
    for (const auto& program :
         {binary_dir() / "bin/pyro", binary_dir() / "bin/pyro-supervisor", binary_dir() / "bin/pyro-agent",
          binary_dir() / "tests/unit/os/unit_os", binary_dir() / "bin/attacks/attack_disk",
          fs::path("/usr/sbin/mkfs.ext4")}) {
      bring(program);
    }
    for (const auto& modules : fs::directory_iterator(guest_directory() / "modules")) {
      fs::create_directories(guest / "modules");
      fs::copy(modules.path(), guest / "modules" / modules.path().filename(), fs::copy_options::recursive);
    }
    expect(0, {"apply", "--yes"});
    make_file_system();
  }

  /// With the libraries that it needs, so that it runs on the guest's small root.
  void bring(const fs::path& program) {
    const auto guest = root() / "busybox";
    fs::create_directories(guest / "opt/pyro");
    fs::copy_file(program, guest / "opt/pyro" / program.filename());
    std::istringstream words(os::run({.argv = {"/usr/bin/ldd", program.string()}}).out);
    for (std::string word; words >> word;) {
      if (word.starts_with("/")) {
        const auto target = guest / word.substr(1);
        fs::create_directories(target.parent_path());
        fs::copy_file(word, target, fs::copy_options::skip_existing);
      }
    }
  }

  void make_file_system() {
    const auto made =
        inside("set -e; cd /modules/$(uname -r); for name in $(cat order); do insmod $name; done; "
               "truncate -s 400M /quota.img; /opt/pyro/mkfs.ext4 -q -N 90000 -O quota,project /quota.img; "
               "mkdir /quota; mount -t ext4 -o loop,prjquota /quota.img /quota; grep /quota /proc/mounts");
    ASSERT_EQ(made.status, 0) << made;
    ASSERT_TRUE(contains(made.out, "prjquota")) << made;
  }

  /// The unit tests of os, all of them for real.
  void run_unit_tests() {
    const auto units = inside("PYRO_TEST_PROJECT_QUOTA=1 TMPDIR=/quota /opt/pyro/unit_os "
                              "--gtest_filter='ProjectQuota*'");
    EXPECT_EQ(units.status, 0) << units;
    EXPECT_TRUE(contains(units.out, "[  PASSED  ] 10 tests.")) << units;
  }

  /// What a workspace of namespaces in the guest, on that file system, is made of.
  void make_project() {
    const auto made = inside("set -e; mkdir -p /nested /quota/project; cd /nested; "
                             "mkdir -p bin etc tmp root proc sys dev run usr/bin; "
                             "cp /bin/busybox bin; for name in $(bin/busybox --list); do [ -e bin/$name ] || "
                             "ln -s busybox bin/$name; done; "
                             "cp /etc/passwd /etc/group etc; cd /quota/project; "
                             "cp /opt/pyro/attack_disk .; echo seeded > canary.txt");
    ASSERT_EQ(made.status, 0) << made;
    limit("8MiB");
  }

  void limit(const std::string& size, const std::string& undo = "24h") {
    inside(
        "cd /quota/project; printf 'version: 1\\nenvironment:\\n  image: \"dir:/nested\"\\n"
        "  resources: {disk: "
        + size + "}\\nseed: {from: .}\\nreset: {undo: " + undo + "}\\n' > pyro.yaml");
  }

  /// The program in the guest.
  Result nested(const std::string& command, const std::string& variables = "") {
    return inside(
        "cd /quota/project && PYRO_TRUST=1 PYRO_HOME=/quota/home " + variables + " /opt/pyro/pyro " + command,
        {.timeout = std::chrono::minutes(8)}); // 65,536 files by an emulated processor
  }

  void expect_nested(const std::string& command) {
    const auto result = nested(command);
    EXPECT_EQ(result.status, 0) << command << "\n" << result;
  }

  Json disk() { return Json::parse(nested("status --json").out)["disk"]; }

  /// Fills it in one of the ways of tests/programs/attack_disk.cpp: who writes is refused, nobody is killed,
  /// and everybody is told.
  void attack(const std::string& way, const std::string& code, const std::string& reason) {
    const auto filled = nested("exec -- ./attack_disk " + way);
    EXPECT_NE(filled.status, 0) << way << filled;
    EXPECT_FALSE(contains(filled.out, "SUCCEEDED")) << way << filled;
    EXPECT_TRUE(contains(filled.err, reason)) << way << filled;
    const auto now = disk();
    EXPECT_EQ(now["reached"]["code"], code) << way << now;
    EXPECT_EQ(now["stopped"], Json()) << way << now;
    EXPECT_TRUE(contains(nested("status").out, reason)) << way;
  }

  /// Of the whole file system, which nobody but the sandbox writes to meanwhile.
  std::uint64_t used_kib() { return std::stoull(inside("sync; df -k /quota | awk 'END {print $3}'").out); }

  /// How many projects are noted: one for each writable layer.
  std::string notes() { return inside("ls /quota/home/disk-projects | wc -l").out; }
};

TEST_F(ProjectQuotaInAGuest, ThePartsDoWhatTheyShould) {
  run_unit_tests();
}

TEST_F(ProjectQuotaInAGuest, HoldsASandboxToItsDiskLimit) {
  ASSERT_NO_FATAL_FAILURE(make_project());
  limit("8MiB", "0s"); // what a reset takes out of use is removed at once
  expect_nested("apply --yes");
  EXPECT_TRUE(contains(nested("doctor").out, "held to resources.disk exactly"));
  EXPECT_EQ(disk()["kept_by"], "project quota");
  EXPECT_EQ(disk()["reached"], Json());
  const auto before = used_kib();
  for (const auto& way : sampled<std::string>(
           {"plain", "sparse", "deleted", "mapped", "mapped-deleted", "small", "many"}, k_tried)) {
    SCOPED_TRACE(way);
    attack(way, "disk_limit", "the workspace's disk limit (environment.resources.disk = 8MiB) is reached");
    EXPECT_LE(disk()["used_bytes"].get<std::uint64_t>(), k_limit) << way;
    EXPECT_LT(used_kib(), before + k_limit / 1024 + 1024) << way << ": the limit is exact";
    EXPECT_EQ(nested("exec -- cat canary.txt").out, "seeded\n") << way;
    expect_nested("reset --yes");
    EXPECT_EQ(disk()["reached"], Json()) << way;
    EXPECT_TRUE(eventually([&] { return notes() == "1\n"; })) << "what was reset is removed";
  }
  const auto left = nested("exec -- ./attack_disk project");
  EXPECT_EQ(left.status, 0) << left;
  EXPECT_TRUE(contains(left.out, "blocked")) << left;
}

/// 65,536 files by an emulated processor; ThePartsDoWhatTheyShould has fewer.
class ProjectQuotaOfManyFiles : public ProjectQuotaInAGuest {
protected:
  void SetUp() override {
    if (!all_cases()) {
      GTEST_SKIP() << "make check-long";
    }
    ProjectQuotaInAGuest::SetUp();
  }
};

TEST_F(ProjectQuotaOfManyFiles, AreHeldToTheLimit) {
  ASSERT_NO_FATAL_FAILURE(make_project());
  expect_nested("apply --yes");
  attack(
      "empty", "disk_entries",
      "the workspace's limit of 65536 files (environment.resources.disk = 8MiB) is reached");
  EXPECT_EQ(disk()["used_entries"], 65536);
}

TEST_F(ProjectQuotaInAGuest, GoesWithTheWorkspaceThroughItsLife) {
  ASSERT_NO_FATAL_FAILURE(make_project());
  expect_nested("apply --yes");
  const std::string fill = "exec -- sh -c 'echo $0; dd if=/dev/zero of=fill bs=64k count=80'"; // 5 MiB
  expect_nested(fill);
  expect_nested("exec -- sh -c 'ln fill linked; mv fill moved; echo changed > canary.txt; rm -r /usr'");

  // A snapshot is the user's, and is not counted; what stands on it has the whole limit.
  expect_nested("snapshot save full");
  EXPECT_LT(disk()["used_bytes"].get<std::uint64_t>(), 6U << 20);
  expect_nested("reset --yes --to full");
  EXPECT_LT(disk()["used_bytes"].get<std::uint64_t>(), 1U << 20);
  EXPECT_EQ(nested("exec -- cat canary.txt").out, "changed\n");
  expect_nested("exec -- sh -c 'rm linked && mv moved back'"); // copied up
  EXPECT_EQ(nested(fill).status, 1);
  EXPECT_EQ(disk()["reached"]["code"], "disk_limit");

  // What a reset took away comes back with its project and its limit.
  expect_nested("undo");
  EXPECT_EQ(disk()["kept_by"], "project quota");
  EXPECT_GT(disk()["used_bytes"].get<std::uint64_t>(), 5U << 20);
  EXPECT_EQ(nested(fill).status, 1);

  limit("16MiB");
  expect_nested("apply --yes");
  EXPECT_EQ(disk()["limit_bytes"], 2 * k_limit);
  EXPECT_EQ(disk()["reached"], Json());
  expect_nested(fill);

  expect_nested("stop");
  expect_nested("start");
  EXPECT_EQ(disk()["kept_by"], "project quota");
  EXPECT_EQ(disk()["limit_bytes"], 2 * k_limit);
  expect_nested("fork try --count 2");
  EXPECT_EQ(disk()["kept_by"], "project quota");
  expect_nested("workspace delete try-1");
  expect_nested("workspace delete try-2");
  expect_nested("destroy --yes --snapshots");
  expect_nested("prune");
  EXPECT_EQ(notes(), "0\n");
  run_unit_tests(); // which begin with a look for limits that are left
}

TEST_F(ProjectQuotaInAGuest, AKilledProcessLeavesNoLimit) {
  ASSERT_NO_FATAL_FAILURE(make_project());
  for (const auto& place : sampled<std::string>(
           {"project.noted", "project.given", "project.limited", "sandbox.starting", "switch.launched",
            "workspace.detached", "project.unlimited"},
           k_tried)) {
    inside("rm -f /passed.log");
    const auto killed = "PYRO_CRASH_LOG=/passed.log PYRO_CRASH_AT=" + place + ":1";
    std::ignore = nested("apply --yes", killed);
    std::ignore = nested("destroy --yes --snapshots", killed);
    EXPECT_TRUE(contains(inside("cat /passed.log").out, place));
    expect_nested("apply --yes");
    EXPECT_EQ(disk()["kept_by"], "project quota") << place;
    EXPECT_EQ(notes(), "1\n") << place;
    expect_nested("destroy --yes --snapshots");
    EXPECT_EQ(notes(), "0\n") << place;
  }
  run_unit_tests();
}

} // namespace
} // namespace pyro::testing
