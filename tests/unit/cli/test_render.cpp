#include <pyro/cli/render.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {

TEST(Render, Status) {
  const auto status = Json::parse(R"({
    "id": "ws-1a2b3c", "name": "shop", "state": "running", "directory": "/home/u/shop", "backend": "namespaces",
    "isolation": "sandbox", "base_snapshot": "ready", "spec_changed": true, "expires_at": "2026-11-21T00:46:00Z",
    "services": [
      {"name": "db", "state": "running", "ready": true, "ready_ms": 812, "restarts": 0},
      {"name": "api", "state": "failed", "ready": false, "restarts": 3, "exit_code": 1, "note": "refused \u001b[31m"}],
    "ports": [{"service": "api", "guest": 8080, "host": "127.0.0.1:40123"}],
    "snapshots": [{"name": "ready", "at": "ready", "bytes": 2048, "created_at": "2026-11-20T12:46:00Z"},
                  {"name": "mine", "created_at": "2026-11-20T13:00:00Z"}],
    "last_error": {"code": "not_ready", "message": "api was not ready in 60 s", "hint": "pyro logs api"}})");
  EXPECT_EQ(render_status(status, Style{}), R"(shop  running  ws-1a2b3c
  directory    /home/u/shop
  backend      namespaces, isolation sandbox
  base         ready
  lives until  2026-11-21T00:46:00Z
  note         spec changed since apply; see: pyro plan
  port         api 8080 on 127.0.0.1:40123

services
  db   ready   ready in 0.8 s
  api  failed                  3 restarts  exit 1  refused \x1b[31m

snapshots
  ready  at ready  2.0 KiB  2026-11-20T12:46:00Z
  mine   saved              2026-11-20T13:00:00Z

last error
  api was not ready in 60 s
  hint: pyro logs api
)");
}

TEST(Render, StatusOfAlmostNothing) {
  EXPECT_EQ(
      render_status({{"id", "ws-1"}, {"name", "x"}, {"state", "stopped"}, {"last_error", nullptr}}, Style{}),
      "x  stopped  ws-1\n");
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
  EXPECT_EQ(render_diff_stat(result), "3 paths: 1 added, 1 deleted, 1 modified\n");
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
        {"id": "ws-1", "name": "shop", "state": "running", "backend": "namespaces", "directory": "/s"},
        {"id": "ws-22", "name": "agent", "state": "stopped", "backend": "qemu", "directory": "/a"}]})"),
          Style{}),
      "NAME   STATE    BACKEND     ID     CREATED  DIRECTORY\n"
      "shop   running  namespaces  ws-1            /s\n"
      "agent  stopped  qemu        ws-22           /a\n");
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
      render_removed(Json::parse(R"({"dry_run": true, "bytes": 1048576,
        "removed": [{"kind": "layer", "name": "9c1e", "bytes": 1048576}]})")),
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
