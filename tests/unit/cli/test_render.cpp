#include <pyro/cli/render.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {

TEST(Render, Status) {
  const auto status = Json::parse(R"({
    "workspace_id": "1a2b3c4d5e6f", "name": "shop", "state": "started", "checkout": "/home/u/shop",
    "backend": "namespaces", "isolation": "sandbox", "environment": "debian:12", "vcpu_count": 2, "mem_mib": 512,
    "base_snapshot": "ready", "spec_changed": true, "generation": 3, "started_at": 940, "expires_at": 8200,
    "reset_count": 2, "last_reset_at": 990.5, "notes": ["disk is not limited"],
    "disk": {"limit_bytes": 16777216, "used_bytes": 16775168, "trouble": "", "stopped": null,
      "reached": {"at": 995, "code": "disk_limit", "reason": "the limit is reached"}},
    "undo": {"reason": "reset to ready", "made_at": 990, "expires_at": 4600},
    "services": [
      {"name": "db", "state": "ready", "started_at": 900, "ready_at": 900.812, "restarts": 1},
      {"name": "api", "state": "failed", "restarts": 3, "exit_code": 1, "reason": "refused \u001b[31m"}],
    "ports": [{"service": "api", "port": 8080, "host_port": 40123, "address": "127.0.0.1",
      "url": "http://127.0.0.1:40123/"}],
    "snapshots": [
      {"snapshot_name": "baseline", "kind": "baseline", "created_at": 400, "size_bytes": 2048, "entry_count": 2},
      {"snapshot_name": "ready", "kind": "managed", "created_at": 700, "size_bytes": 0, "entry_count": 0,
       "parent": "baseline"},
      {"snapshot_name": "mine", "kind": "named", "created_at": 999.9, "size_bytes": 10, "entry_count": 1,
       "parent": "baseline"}],
    "last_error": "the backing guest process 7 is gone"})");
  EXPECT_EQ(render_status(status, Style{}, 1000), R"(shop  started  1a2b3c4d5e6f
  directory  /home/u/shop
  image      debian:12
  backend    namespaces, isolation sandbox
  size       2 cpus, 512 MiB
  disk       16.0 MiB of 16.0 MiB
             the limit is reached 5 s ago
  base       ready
  up         60 s
  ends       in 2 h
  resets     2, the last 9 s ago
  undo       `pyro undo` takes back: reset to ready, 10 s ago; for another 60 min
  port       api 8080 at http://127.0.0.1:40123/
  note       disk is not limited
  file       pyro.yaml changed since apply; see: pyro plan

services
  db   ready   in 0.8 s  1 restart
  api  failed            3 restarts  exit 1  refused \x1b[31m

snapshots
  baseline  baseline  10 min ago  2.0 KiB
  ready     declared  5 min ago   same as baseline
  mine      saved     just now    10 B

last error
  the backing guest process 7 is gone
)");
}

TEST(Render, StatusOfAlmostNothing) {
  EXPECT_EQ(
      render_status(
          {{"workspace_id", "ws-1"}, {"name", "x"}, {"state", "stopped"}, {"last_error", ""}}, Style{}, 1000),
      "x  stopped  ws-1\n");
}

TEST(Render, StatusOfWhatWasDestroyedSaysHowItComesBack) {
  const auto status = Json::parse(R"({"workspace_id": "ws-1", "name": "x", "state": "destroyed",
    "destroyed_at": 700, "environment": "host",
    "undo": {"reason": "destroy", "made_at": 700, "expires_at": 87100}})");
  EXPECT_EQ(render_status(status, Style{}, 1000), R"(x  destroyed  ws-1
  destroyed 5 min ago; `pyro apply` makes it anew
  `pyro undo` takes back: destroy, 5 min ago; for another 24 h
)");
}

TEST(Render, Lifecycle) {
  const auto result = Json::parse(R"({"name": "x", "duration_ms": 12, "undo": true, "undo_expires_at": 87400,
    "undone": "destroy", "workspace_reset": {"snapshot_name": "clean"}})");
  EXPECT_EQ(render_reset(result, 1000), "x is reset to clean. (12 ms) `pyro undo` takes it back for 24 h.\n");
  EXPECT_EQ(
      render_reset({{"name", "x"}, {"workspace_reset", {{"snapshot_name", "a"}}}, {"undo", false}}, 1000),
      "x is reset to a. There is no undo point.\n");
  EXPECT_EQ(render_undo(result), "x: took back `destroy`. (12 ms) `pyro undo` again returns to it.\n");
  EXPECT_EQ(render_destroyed(result, 1000), "x is destroyed. (12 ms) `pyro undo` brings it back for 24 h.\n");
  EXPECT_EQ(
      render_destroyed({{"name", "x"}, {"undo", false}}, 1000),
      "x is destroyed. Its content and its snapshots are gone for good. What was cached for it stays a day; "
      "`pyro df` "
      "shows it, `pyro prune --all` removes it.\n");
  EXPECT_EQ(
      render_destroyed({{"name", "x"}, {"changed", false}, {"undo", true}}, 1000),
      "x was destroyed already. `pyro undo` brings it back.\n");
  EXPECT_EQ(
      render_stopped({{"name", "x"}, {"changed", false}}), "x was not running. `pyro start` starts it.\n");
  EXPECT_EQ(render_started({{"name", "x"}, {"changed", false}}), "x runs already.\n");
}

TEST(Render, Snapshots) {
  EXPECT_EQ(
      render_snapshots(
          Json::parse(R"({"snapshots": [
            {"snapshot_name": "baseline", "kind": "baseline", "created_at": 400, "size_bytes": 2048, "entry_count": 2},
            {"snapshot_name": "mine", "kind": "named", "created_at": 940, "size_bytes": 10, "entry_count": 1}]})"),
          Style{}, 1000),
      "NAME      KIND      TAKEN       SIZE\n"
      "baseline  baseline  10 min ago  2.0 KiB\n"
      "mine      saved     60 s ago    10 B\n");
}

TEST(Render, Validation) {
  const auto result = Json::parse(R"({"valid": false, "diagnostics": [
    {"severity": "error", "position": {"file": "pyro.yaml", "line": 3, "column": 5}, "address": "services.api",
     "message": "unknown key 'prots'", "hint": "did you mean 'ports'?"},
    {"severity": "warning", "position": {"file": "pyro.yaml", "line": 0, "column": 0}, "message": "no probe"}]})");
  EXPECT_EQ(render_validation(result, Style{}), R"(pyro.yaml:3:5: error: services.api: unknown key 'prots'
  hint: did you mean 'ports'?
pyro.yaml: warning: no probe
)");
  EXPECT_EQ(
      render_validation({{"valid", true}, {"name", "shop"}, {"diagnostics", Json::array()}}, Style{}),
      "shop is valid\n");
}

TEST(Render, Diff) {
  const auto result = Json::parse(R"({"changed": true, "entries": [
    {"path": "/workspace/a.txt", "status": "modified", "artifact_type": "file", "text_patch": "@@ -1 +1 @@\n-a\n+b\n"},
    {"path": "/workspace/new", "status": "added", "artifact_type": "directory"},
    {"path": "/workspace/\u001b[2J", "status": "deleted"}]})");
  EXPECT_EQ(render_diff(result, Style{}), "M /workspace/a.txt\nA /workspace/new/\nD /workspace/\\x1b[2J\n");
  EXPECT_EQ(render_diff_summary(result), "3 paths: 1 added, 1 deleted, 1 modified\n");
  EXPECT_EQ(render_diff_patch(result, Style{}), "@@ -1 +1 @@\n-a\n+b\n");
  EXPECT_EQ(
      render_diff_patch(result, Style{true}),
      "\x1b[2m@@ -1 +1 @@\x1b[0m\n\x1b[31m-a\x1b[0m\n\x1b[32m+b\x1b[0m\n");
  EXPECT_EQ(render_diff({{"entries", Json::array()}}, Style{}), "No differences.\n");
}

TEST(Render, ListDoctorAndPrune) {
  EXPECT_EQ(
      render_list(
          Json::parse(R"({"workspaces": [
        {"workspace_id": "ws-1", "name": "shop", "state": "started", "backend": "namespaces", "checkout": "/s",
         "last_activity_at": 880, "ports": [{"service": "api", "port": 8080, "host_port": 40123,
         "address": "0.0.0.0", "url": null}]},
        {"workspace_id": "ws-22", "name": "agent", "state": "stopped", "backend": "qemu", "checkout": "/a"}]})"),
          Style{}, 1000),
      "NAME   STATE    ID     BACKEND     ACTIVE     DIRECTORY  PORTS\n"
      "shop   started  ws-1   namespaces  2 min ago  /s         api 0.0.0.0:40123\n"
      "agent  stopped  ws-22  qemu                   /a\n");
  EXPECT_EQ(
      render_doctor(
          Json::parse(R"({"checks": [
        {"name": "user namespaces", "ok": true, "level": "ok", "text": "allowed"},
        {"name": "kvm", "ok": false, "level": "warning", "text": "/dev/kvm is not there", "hint": "VMs will be slow"}],
        "objects": {"mounts": 3, "sandboxes": ["a", "b"]}})"),
          Style{}),
      "ok       user namespaces  allowed\n"
      "warning  kvm              /dev/kvm is not there\n"
      "\nhint: kvm: VMs will be slow\n"
      "\nkernel objects of pyro\n  mounts     3\n  sandboxes  2\n");
  EXPECT_EQ(
      render_removed(Json::parse(R"({"dry_run": true, "size_bytes": 1048576,
        "removed": [{"kind": "layer", "name": "9c1e", "size_bytes": 1048576}]})")),
      "Would remove:\n  layer  9c1e  1.0 MiB\n1.0 MiB would be freed.\n");
  EXPECT_EQ(render_removed(Json::object()), "Nothing to remove.\n");
}

TEST(Render, Applied) {
  EXPECT_EQ(
      render_applied(
          {{"workspace_id", "ws-1"}, {"name", "shop"}, {"changed", false}, {"duration_ms", 42}}, Style{}),
      "Nothing to do: shop is as pyro.yaml says. (42 ms)\n");
  EXPECT_EQ(
      render_applied(
          {{"workspace_id", "ws-1"}, {"name", "shop"}, {"changed", true}, {"duration_ms", 3200}}, Style{}),
      "Done: shop is as pyro.yaml says. (3.2 s)\nTry: pyro exec -- COMMAND, pyro shell, pyro status\n");
}

TEST(Render, PlanChanges) {
  EXPECT_FALSE(plan_changes(
      Json::parse(R"({"actions": [{"action": "noop"}, {"action": "cached"}, {"action": "note"}]})")));
  EXPECT_TRUE(plan_changes(Json::parse(R"({"actions": [{"action": "noop"}, {"action": "restart"}]})")));
}

TEST(Style, WidthsCountCharactersNotBytesOrColours) {
  EXPECT_EQ(width_of("gr\xC3\xBC\xC3\x9F\x1b[31m!\x1b[0m"), 5U);
  EXPECT_EQ(fitted("abcdef", 6), "abcdef");
  EXPECT_EQ(fitted("abcdefg", 6), "abcde…");
}

} // namespace pyro::cli
