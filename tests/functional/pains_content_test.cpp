// Pains with snapshots, forks and the file itself: docs/pains.md, 12 to 14, 16 and 20; 15 needs a machine
// (tests/machines/clock_test.cpp).
#include "pains.hpp"

#include <set>

namespace pyro::testing {
namespace {

using PainsWithContent = Pains;

TEST_F(PainsWithContent, P12SnapshotsDependOnTheDriver) {
  declare("snapshots: {ready: {at: ready, memory: true}}\nbackend: namespaces\n");
  const auto refused = pyro({"plan"});
  EXPECT_EQ(refused.status, 10) << refused;
  EXPECT_TRUE(contains(refused.err, "memory")) << refused;
  EXPECT_TRUE(contains(refused.err, "hint: ")) << "no way out: " << refused;
  EXPECT_TRUE(workspace_ids().empty());
  // Of a running one, as it is, with what it can:
  declare("services: {web: {command: exec sleep 1000}}\nsnapshots: {ready: {at: ready}}\n");
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "running"});
  EXPECT_EQ(service("web")["restarts"], 0);
}

TEST_F(PainsWithContent, P13RestoringAnOldSnapshotKillsTheNewerOnes) {
  declare("");
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "old"});
  inside("echo new > b.txt");
  expect(0, {"snapshot", "save", "new"});
  expect(0, {"reset", "--to", "old", "--yes"});
  EXPECT_NE(inside("cat b.txt").status, 0);
  expect(0, {"reset", "--to", "new", "--yes"});
  EXPECT_EQ(inside("cat b.txt").out, "new\n");
}

TEST_F(PainsWithContent, P14SnapshotsPileUpOrTheCollectorDeletesWhatIsUsed) {
  for (const auto* what : {"1", "2", "3", "4"}) {
    declare(
        "retention: {keep: 1, min_age: 1ms}\nprepare: [{id: step, run: echo " + std::string(what)
        + " > made}]\n");
    expect(0, {"apply", "--yes"});
    if (*what == '1') {
      expect(0, {"snapshot", "save", "first"});
    }
  }
  std::size_t gone = 0;
  const auto pruned = json({"prune"});
  for (const auto& item : pruned["removed"]) {
    gone += item.value("kind", "") == "recipe" ? 1U : 0U;
  }
  EXPECT_GT(gone, 0U) << "they pile up";
  EXPECT_TRUE(plans_nothing()) << "what is in use was collected: " << pyro({"plan"});
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat made").out, "4\n");
  expect(0, {"reset", "--to", "first", "--yes"});
  EXPECT_EQ(inside("cat made").out, "1\n") << "what a snapshot stands on was collected";
}

TEST_F(PainsWithContent, P16ForksShareTheirIdentityAndSecretsAreBakedIn) {
  write_file(project() / "image/etc/machine-id", "");
  declare("secrets: {key: {env: PYRO_TEST_KEY}}\n"
          "services: {web: {command: 'cat $key_FILE > /tmp/seen; exec sleep 1000', secrets: [key],\n"
          "                 readiness: {file: /tmp/seen}}}\n");
  const RunOptions with_key{.env = {{"PYRO_TEST_KEY", "sesame-open"}, {"PYRO_TRUST", "1"}}};
  expect(0, {"apply"}, with_key);
  expect(0, {"fork", "one", "--count", "2"}, with_key);
  std::set<std::string> identities;
  const auto all = json({"ls"})["workspaces"];
  ASSERT_EQ(all.size(), 3U);
  for (const auto& workspace : all) {
    const auto id = pyro({"exec", "-w", workspace["workspace_id"], "--", "cat", "/etc/machine-id"}).out;
    EXPECT_EQ(id.size(), 33U) << id;
    identities.insert(id);
  }
  EXPECT_EQ(identities.size(), all.size()) << "forks are the same machine";
  EXPECT_EQ(command({"grep", "-rlaF", "sesame-open", state().string()}).out, "")
      << "a secret lies in what is kept";
}

TEST_F(PainsWithContent, P20TheFileItselfBites) {
  const auto refused = [&](const std::string& body, const std::string& place, const std::string& what) {
    declare(body);
    const auto result = expect(65, {"validate"});
    EXPECT_TRUE(contains(result.out, "pyro.yaml:" + place)) << result;
    EXPECT_TRUE(contains(result.out, what)) << result;
  };
  refused("labels: {a: '${unset}'}\n", "5:", "unset");                  // no blank in its place
  refused("labels: {a: x}\nlabels: {a: y}\n", "6:1", "twice");          // the last does not win in silence
  refused("services: {a: {command: x, oneshot: yes}}\n", "5:", "true"); // no boolean by habit
  declare("labels: {country: no, python: 3.10, base60: 22:22}\n");
  const auto labels = json({"config"})["labels"];
  EXPECT_EQ(labels["country"], "no");
  EXPECT_EQ(labels["python"], "3.10");
  EXPECT_EQ(labels["base60"], "22:22");
  // Variables have one source, and it is no file that happens to lie there.
  write_file(project() / ".env", "from_file=x\n");
  refused("labels: {a: '${from_file}'}\n", "5:", "from_file");
  // What lies over it replaces a list, and takes nothing else with it.
  declare("services: {a: {command: x, ports: ['1', '2'], env: {A: '1', B: '2'}}}\n"
          "profiles: {ci: {services: {a: {ports: ['3'], env: {B: '3'}}}}}\n");
  const auto merged = json({"config", "--profile", "ci"})["services"]["a"];
  EXPECT_EQ(merged["ports"].size(), 1U) << merged;
  EXPECT_EQ(merged["env"], (Json{{"A", "1"}, {"B", "3"}}));
}

} // namespace
} // namespace pyro::testing
