#include "scenarios.hpp"

namespace pyro::testing {

namespace {

constexpr const char* k_patch = "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,3 @@\n one\n two\n+three\n"
                                "--- /dev/null\n+++ b/patched.txt\n@@ -0,0 +1 @@\n+patched\n";

void nothing(World&) {
}

void workspace(World& world) {
  world.make_workspace();
}

void with_snapshot(World& world) {
  world.make_workspace();
  world.expect(0, {"workspace", "snapshot", "create", "w", "point"});
  world.expect(0, {"workspace", "exec", "w", "--", "sh", "-c", "echo later > later; rm a.txt"});
}

void applied(World& world) {
  world.declare();
  world.expect(0, {"apply", "--yes"});
}

/// A command that always says the same.
std::function<Arguments(World&)> always(Arguments arguments) {
  return [arguments = std::move(arguments)](World&) {
    return arguments;
  };
}

Arguments create(World& world, const fs::path& seed) {
  return {"workspace",   "create",      world.environment_name(),
          "--seed-path", seed.string(), "--name",
          "w",           "--label",     "a=b",
          "--secret",    "TOKEN=value"};
}

std::vector<Scenario> made_by_hand() {
  return {
      {"create", nothing, [](World& world) { return create(world, world.seed()); }, false},
      {"create_of_archive", nothing, [](World& world) { return create(world, world.archive()); }, false},
      {"delete", with_snapshot, always({"workspace", "delete", "w"}), false},
      {"stop", workspace, always({"workspace", "stop", "w"})},
      {"start",
       [](World& world) {
         workspace(world);
         world.expect(0, {"workspace", "stop", "w"});
       },
       always({"workspace", "start", "w"})},
      {"exec", workspace, always({"workspace", "exec", "w", "--", "sh", "-c", "echo done > done"})},
      {"service_start", workspace,
       always(
           {"workspace", "service", "start", "w", "web", "--ready-file", "/tmp/up", "--", "sh", "-c",
            "echo up > /tmp/up; exec sleep 1000"}),
       false},
      {"env_pull",
       [](World& world) { write_file(world.root() / "busybox/unique", read_file(world.seed() / "unique")); },
       [](World& world) {
         return Arguments{"env", "pull", world.environment_name()};
       }},
      {"vm_run", nothing,
       [](World& world) {
         return Arguments{"run", world.environment_name(), "--", "true"};
       }},
  };
}

std::vector<Scenario> on_content() {
  return {
      {"sync_push", workspace,
       [](World& world) {
         return Arguments{"workspace", "sync", "push", "w", world.pushed().string()};
       }},
      {"sync_push_of_archive", workspace,
       [](World& world) {
         return Arguments{"workspace", "sync", "push", "w", world.archive().string(), "--dest", "into"};
       }},
      {"file_write", workspace,
       [](World& world) {
         write_file(world.root() / "text", "written\n");
         return Arguments{
             "workspace", "file", "write", "w", "sub/b.txt", "--input", (world.root() / "text").string()};
       }},
      {"patch", workspace,
       [](World& world) {
         write_file(world.root() / "change.patch", k_patch);
         return Arguments{"workspace", "patch", "apply", "w", (world.root() / "change.patch").string()};
       },
       false},
      {"export", workspace,
       [](World& world) {
         return Arguments{"workspace", "export", "w", ".", "--output", (world.exports() / "tree").string()};
       },
       false},
      {"snapshot_create", workspace, always({"workspace", "snapshot", "create", "w", "point"}), false},
      {"snapshot_delete", with_snapshot, always({"workspace", "snapshot", "delete", "w", "point"}), false},
      {"reset", with_snapshot, always({"workspace", "reset", "w"})},
      {"reset_to_snapshot", with_snapshot, always({"workspace", "reset", "w", "--snapshot", "point"})},
      {"fork", with_snapshot,
       always({"workspace", "fork", "w", "--snapshot", "point", "--count", "2", "--name", "f"}), false, true},
      {"prune",
       [](World& world) {
         with_snapshot(world);
         world.expect(0, {"workspace", "delete", "w"});
         workspace(world);
       },
       [](World&) { return Arguments{"prune"}; },
       true,
       false,
       false,
       {{"PYRO_CLOCK_OFFSET", "36000"}}},
  };
}

std::vector<Scenario> declared() {
  return {
      {"apply", [](World& world) { world.declare(); }, always({"apply", "--yes"}), true, false, true},
      {"apply_of_changes",
       [](World& world) {
         applied(world);
         world.expect(0, {"exec", "--", "sh", "-c", "echo edited > edited"});
         append_file(world.seed() / "a.txt", "changed\n");
       },
       always({"apply", "--yes"}), true, false, true},
      {"destroy", applied, always({"destroy", "--yes"})},
      {"undo",
       [](World& world) {
         applied(world);
         world.expect(0, {"exec", "--", "sh", "-c", "echo edited > edited"});
         world.expect(0, {"reset", "--yes"});
       },
       always({"undo"}),
       false,
       false,
       false,
       {},
       true},
      {"adopt",
       [](World& world) {
         world.make_workspace();
         world.declare();
       },
       always({"adopt", "w"}), false},
  };
}

} // namespace

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (auto&& some : {made_by_hand(), on_content(), declared()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

} // namespace pyro::testing
