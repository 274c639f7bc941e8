#include "world.hpp"

#include "../support/busybox.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <cstdlib>

namespace pyro::testing {

namespace {

bool is_temporary(const fs::path& path) {
  return path.filename().string().starts_with(".tmp-");
}

std::string why_untidy(const fs::path& workspace) {
  if (fs::exists(workspace / "journal.json")) {
    return "an unfinished journal";
  }
  if (fs::exists(workspace / "build") && !fs::is_empty(workspace / "build")) {
    return "an unfinished build";
  }
  const auto record = Json::parse(read_file(workspace / "workspace.json"));
  for (const auto& entry : fs::directory_iterator(workspace / "gen")) {
    const auto name = entry.path().filename().string();
    const auto& undo = record.contains("undo") ? record["undo"] : Json();
    const bool is_undo = undo.is_object() && name == std::to_string(undo["generation"].get<int>());
    if (name != std::to_string(record["generation"].get<int>()) && !is_undo) {
      return "a stray generation " + name;
    }
  }
  for (const auto& entry : fs::directory_iterator(workspace / "runtime")) {
    if (entry.path().filename().string().starts_with("ended-")) {
      return "control groups of a sandbox that ended";
    }
  }
  for (const auto* folder : {"", "baseline", "snapshots", "services", "commands", "runtime"}) {
    for (const auto& entry : fs::directory_iterator(workspace / folder)) {
      if (is_temporary(entry.path())) {
        return "a temporary file " + entry.path().string();
      }
    }
  }
  return "";
}

} // namespace

void World::SetUp() {
  Functional::SetUp();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  ::setenv("PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").c_str(), 1); // nothing of it stays
  make_busybox_root(root() / "busybox");
  renew_seed();
  write_file(pushed() / "a.txt", "pushed\n");
  write_file(pushed() / "deep/er/new.txt", "new\n");
  fs::create_directories(exports());
}

void World::renew_seed() {
  write_file(seed() / "a.txt", "one\ntwo\n");
  write_file(seed() / "sub/b.txt", "b\n");
  write_file(seed() / "unique", std::to_string(++m_seeds) + "\n");
  if (!fs::is_symlink(seed() / "link")) {
    fs::create_symlink("a.txt", seed() / "link");
  }
  ASSERT_EQ(command({"tar", "-C", seed().string(), "-czf", archive().string(), "."}).status, 0);
}

void World::make_workspace() {
  expect(
      0, {"workspace", "create", environment_name(), "--seed-path", seed().string(), "--name", "w",
          "--ttl-seconds", "86400"});
  expect(0, {"workspace", "exec", "w", "--", "sh", "-c", "echo by hand > edited; cp unique edited-unique"});
}

void World::declare(const std::string& more) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: '" + environment_name()
          + "', resources: {memory: 256MiB}}\nseed: {from: " + seed().string()
          + "}\nprepare:\n  - {id: work, run: 'cat a.txt unique > made.txt'}\n"
            "services:\n  keeper:\n    command: 'echo up > /tmp/up; exec sleep 1000'\n"
            "    readiness: {file: /tmp/up}\nsnapshots:\n  ready: {at: ready}\n"
          + more);
  expect(0, {"trust"}); // its environment and its seed lie outside of the project
}

Json World::comparable(std::map<std::string, std::string> tree) {
  std::erase_if(tree, [](const auto& entry) { return entry.first.starts_with(".pyro-export"); });
  for (auto& [path, what] : tree) {
    if (path.ends_with("unique") || path == "made.txt") {
      what = "there";
    }
  }
  return tree;
}

Json World::content_of(const std::string& workspace) {
  const auto place = root() / ("look-" + std::to_string(++m_looks));
  const auto result = pyro({"workspace", "export", workspace, ".", "--output", place.string()});
  EXPECT_EQ(result.status, 0) << "the content of " << workspace << " cannot be read: " << result;
  auto tree = result.status == 0 ? comparable(tree_of(place)) : Json();
  fs::remove_all(place);
  return tree;
}

Observed World::observe() {
  Observed observed;
  const auto list = json({"workspace", "list"});
  EXPECT_TRUE(list["damaged"].empty()) << list["damaged"];
  for (const auto& entry : list["workspaces"]) {
    const auto name = entry["name"].get<std::string>();
    if (entry["state"] == "created") {
      continue; // a first apply that was killed goes on from there; there is nothing in it yet
    }
    const auto id = entry["workspace_id"].get<std::string>();
    Json snapshots = Json::array();
    const auto listed = json({"workspace", "snapshot", "list", id});
    for (const auto& snapshot : listed["snapshots"]) {
      snapshots.push_back(snapshot["snapshot_name"]);
    }
    const auto diff = json({"workspace", "diff", id});
    observed[name] = {{"content", content_of(id)}, {"snapshots", snapshots}, {"difference", diff["summary"]}};
  }
  const auto vms = json({"vm", "list"});
  for (const auto& entry : vms["vms"]) {
    observed["vm " + entry["name"].get<std::string>()] = entry["state"];
  }
  for (const auto& entry : fs::directory_iterator(exports())) {
    if (!entry.path().filename().string().starts_with('.')) {
      observed["export " + entry.path().filename().string()] = comparable(tree_of(exports()));
    }
  }
  return observed;
}

void World::expect_records_whole(const fs::path& directory) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const bool is_content = entry.path().string().find("/gen/") != std::string::npos;
    if (!is_content && entry.is_regular_file() && entry.path().extension() == ".json") {
      EXPECT_FALSE(Json::parse(read_file(entry.path()), nullptr, false).is_discarded()) << entry.path();
    }
  }
}

std::vector<pid_t> World::supervisors() const {
  std::vector<pid_t> found;
  for (const auto pid : processes_naming(state().string())) {
    if (describe(pid).find("pyro-supervisor") != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

void World::expect_sound() {
  for (const auto& id : workspace_ids()) {
    const auto place = state() / "workspaces" / id;
    EXPECT_TRUE(fs::exists(place / "workspace.json")) << "a workspace without a record";
    for (const auto* folder : {"baseline", "snapshots", "services", "commands"}) {
      expect_records_whole(place / folder);
    }
  }
  for (const auto& id : started("workspace")) {
    const auto ran = pyro({"workspace", "exec", id, "--", "true"});
    // One that was asked to stop ends a moment after the command that asked was killed.
    EXPECT_TRUE(ran.status == 0 || !started("workspace").contains(id)) << ran;
  }
  const auto all_run = [&] {
    return supervisors().size() == started("workspace").size() + started("vm").size();
  };
  EXPECT_TRUE(eventually(all_run)) << supervisors().size() << " sandboxes run";
}

std::set<std::string> World::started(const std::string& kind) {
  std::set<std::string> ids;
  const auto list = json({kind, "list"});
  for (const auto& entry : list[kind + "s"]) {
    if (entry["state"] == "started") {
      ids.insert(entry[kind == "vm" ? "vm_id" : "workspace_id"].get<std::string>());
    }
  }
  return ids;
}

void World::expect_tidy() {
  // Temporary files go once nobody can still be writing them, by whatever command takes their workspace's
  // lock.
  expect(0, {"prune"}, {.env = {{"PYRO_CLOCK_OFFSET", "120"}}});
  for (const auto& id : workspace_ids()) {
    const auto place = state() / "workspaces" / id;
    EXPECT_TRUE(eventually([&] { return why_untidy(place).empty(); })) << why_untidy(place);
  }
  for (const auto& entry : fs::directory_iterator(exports())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
  }
}

void World::clear() {
  const auto ids = workspace_ids();
  for (const auto& id : ids) {
    if (pyro({"destroy", "--yes", "--snapshots", "-w", id}).status != 0) {
      std::ignore = pyro({"vm", "delete", id});
    }
  }
  std::vector<std::string> left;
  eventually([&] { return (left = leftovers(state().string(), ids)).empty(); }, 5);
  if (!left.empty()) { // what was killed while it removed something: any other command goes on with it
    std::ignore = pyro({"ls"});
    eventually([&] { return (left = leftovers(state().string(), ids)).empty(); }, 5);
  }
  for (const auto& line : left) {
    ADD_FAILURE() << "left behind: " << line;
  }
  fs::remove_all(exports());
  fs::create_directories(exports());
}

std::string difference(const Observed& one, const Observed& other) {
  return Json::diff(Json(one), Json(other)).dump();
}

} // namespace pyro::testing
