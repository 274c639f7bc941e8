// snapshots.<name>.memory: a reset brings services back running, as they were when they were ready.
#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <ctime>
#include <fstream>

namespace pyro::testing {
namespace {

class Memory : public Machines {
protected:
  void SetUp() override {
    Machines::SetUp();
    declare("");
  }

  /// A service that has a number of its own in the guest's memory, and a probe that counts how often it was
  /// asked.
  void declare(const std::string& memory, const std::string& service = "", const std::string& more = "") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: one\nisolation: vm\nenvironment: {image: \"dir:" + (root() / "busybox").string()
            + "\", resources: {memory: 256MiB, disk: 1GiB}}\nseed: {from: .}\nservices:\n  keeper:\n"
              "    command: \"cat /proc/sys/kernel/random/uuid > /dev/shm/token; "
              "cat /proc/sys/kernel/random/boot_id > /dev/shm/boot; echo up > /tmp/up; exec sleep 1000\"\n"
              "    readiness: {exec: [sh, -c, \"echo p >> /dev/shm/probes; test -e /tmp/up\"]}\n"
            + service + "snapshots: {ready: {at: ready" + memory + "}}\nreset: {to: ready}\n" + more);
  }

  fs::path kept() const { return state() / "workspaces" / *workspace_ids().begin() / "memory"; }

  std::string token() { return inside("cat /dev/shm/token").out; }

  std::size_t probes() { return inside("cat /dev/shm/probes").out.size(); }
};

TEST_F(Memory, ServicesGoOnAfterAKernelPanic) {
  expect(0, {"apply", "--yes"});
  EXPECT_TRUE(fs::exists(kept() / "ready/kept.json"));
  const auto before = token();
  const auto boot = inside("cat /proc/sys/kernel/random/boot_id").out;
  const auto asked = probes();
  EXPECT_EQ(before.size(), 37U);
  EXPECT_NE(inside("rm /dev/shm/token; echo broken > a.txt; echo c > /proc/sysrq-trigger").status, 0);
  EXPECT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; }));

  const auto began = std::time(nullptr);
  const auto reset = json({"reset", "--yes"});
  EXPECT_TRUE(reset["from_memory"].get<bool>());
  EXPECT_EQ(reset["services"][0]["state"], "ready");
  EXPECT_EQ(token(), before) << "the very same service";
  EXPECT_GT(probes(), asked) << "it had to show that it is ready";
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
  EXPECT_EQ(inside("cat /dev/shm/boot").out, boot) << "what was read before";
  EXPECT_EQ(inside("hostname; hostname -i").out, "one\n127.0.0.1\n");
  EXPECT_GE(std::stol(inside("date +%s").out), began - 1);
  EXPECT_TRUE(json({"diff"})["entries"].empty()) << json({"diff"}).dump();

  constexpr const char* k_random =
      "cat /proc/sys/kernel/random/boot_id; dd if=/dev/urandom bs=16 count=1 2>/dev/null | md5sum";
  const auto first = inside(k_random).out;
  EXPECT_EQ(first.find(boot), std::string::npos);
  expect(0, {"reset", "--yes"});
  const auto second = inside(k_random).out;
  EXPECT_NE(first.substr(0, 37), second.substr(0, 37)) << "boot id";
  EXPECT_NE(first.substr(37), second.substr(37)) << "random numbers";

  inside("echo edited > a.txt");
  expect(0, {"reset", "--yes"});
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat a.txt").out, "edited\n") << "the edits are on the disk of the machine before";
  expect(0, {"snapshot", "rm", "ready"});
  EXPECT_FALSE(fs::exists(kept() / "ready"));
}

TEST_F(Memory, WhatIsDamagedIsMadeAnewWithoutIt) {
  expect(0, {"apply", "--yes"});
  const auto before = token();
  fs::permissions(kept() / "ready/state", fs::perms::owner_all);
  std::ofstream(kept() / "ready/state", std::ios::app) << "x";
  const auto reset = expect(0, {"reset", "--yes"});
  EXPECT_NE(reset.all().find("of no use"), std::string::npos) << reset;
  const auto after = token();
  EXPECT_NE(after, before) << "started anew";
  EXPECT_TRUE(json({"reset", "--yes"})["from_memory"].get<bool>()) << "kept again";
  EXPECT_EQ(token(), after);
}

TEST_F(Memory, SecretsComeToLieInNoFile) {
  declare("", "    secrets: [key]\n", "secrets: {key: {env: PYRO_TEST_KEY}}\n");
  const RunOptions with_key{.env = {{"PYRO_TEST_KEY", "sesame-open"}}};
  const auto applied = expect(0, {"apply", "--yes"}, with_key);
  EXPECT_NE(applied.all().find("secrets"), std::string::npos) << applied;
  EXPECT_FALSE(fs::exists(kept() / "ready"));
  EXPECT_FALSE(json({"reset", "--yes"}, with_key)["from_memory"].get<bool>());
  declare(", memory: true", "    secrets: [key]\n", "secrets: {key: {env: PYRO_TEST_KEY}}\n");
  const auto refused = pyro({"apply", "--yes"}, with_key);
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.err.find("pyro.yaml:"), std::string::npos) << refused;
}

TEST_F(Memory, CanBeLeftOut) {
  declare(", memory: false");
  expect(0, {"apply", "--yes"});
  EXPECT_FALSE(fs::exists(kept() / "ready"));
  EXPECT_FALSE(json({"reset", "--yes"})["from_memory"].get<bool>());
}

} // namespace
} // namespace pyro::testing
