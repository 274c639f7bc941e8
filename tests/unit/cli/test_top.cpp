// `pyro top`: what is shown, and how a terminal is drawn on.
#include "memory_engine.hpp"

#include <pyro/base/error.hpp>
#include <pyro/cli/render_resources.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {

namespace {

const Json& usage() {
  static const Json s_usage = Json::parse(R"({
    "at": 1000, "interval_ms": 1000, "count": 2, "workspaces": [
    {"workspace_id": "a", "name": "shop", "state": "started", "backend": "namespaces", "trouble": "",
     "cpu": {"seconds": 12.5, "percent": 53.21, "limit": 2.0, "counted_by": "cgroup"},
     "memory": {"bytes": 1048576, "peak_bytes": 3145728, "cached_bytes": 4096, "limit_bytes": 536870912,
       "counted_by": "cgroup"},
     "pids": {"count": 7, "limit": 4096, "counted_by": "cgroup"},
     "disk": {"used_bytes": 2048, "limit_bytes": 1073741824}, "vmm": null,
     "oom_kills": {"count": 2, "last": {"who": "the service \u001b[31mdb", "at": 700}},
     "services": [
       {"name": "db", "state": "ready", "oom_kills": 1,
        "cpu": {"seconds": 1.0, "percent": null, "limit": null, "counted_by": "processes"},
        "memory": {"bytes": 2097152, "peak_bytes": null, "cached_bytes": null, "limit_bytes": null,
          "counted_by": "processes"},
        "pids": {"count": 3, "limit": null, "counted_by": "processes"}},
       {"name": "old", "state": "stopped", "oom_kills": 0, "cpu": null, "memory": null, "pids": null}]},
    {"workspace_id": "b", "name": "vm", "state": "started", "backend": "qemu", "trouble": "its agent does not answer",
     "cpu": null, "memory": null, "pids": null, "disk": null, "oom_kills": null, "services": [],
     "vmm": {"cpu": {"seconds": 4, "percent": 0.0, "limit": null, "counted_by": "processes"},
       "memory": {"bytes": 1048576, "peak_bytes": 1048576, "cached_bytes": null, "limit_bytes": null,
         "counted_by": "processes"}, "pids": {"count": 4, "limit": null, "counted_by": "processes"}}}]})");
  return s_usage;
}

/// What it answers, a few times; then Ctrl-C.
World::Answer until_interrupted(int times) {
  return [left = times](const Json&, const operations::Callbacks&) mutable -> Json {
    if (left-- == 0) {
      throw Error(ErrorCode::interrupted, "interrupted");
    }
    return usage();
  };
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

} // namespace

TEST(Top, IsATable) {
  EXPECT_EQ(
      render_resource_usage(usage(), Style{}, 1000),
      R"(WORKSPACE                 CPU    MEMORY             PEAK     PIDS      DISK               OOM KILLS
shop                      53.2%  1.0 MiB / 512 MiB  3.0 MiB  7 / 4096  2.0 KiB / 1.0 GiB  2: the service \x1b[31mdb, 5 min ago
  db                      -      ~2.0 MiB           -        3                            1
vm                        -      -                  -        -         -                  -
  (qemu on this machine)  0.0%   ~1.0 MiB           1.0 MiB  4
~ summed over processes: what they share is in each one's sum
vm: its agent does not answer
)");
  EXPECT_EQ(render_resource_usage(Json::object(), Style{}, 1000), "No workspace runs.\n");
}

TEST(Top, IsALineOfStatus) {
  EXPECT_EQ(
      resources_text(usage()["workspaces"][0]),
      "12 s of processors, 1.0 MiB of memory (at most 3.0 MiB), 7 processes and threads");
  EXPECT_EQ(
      resources_text(usage()["workspaces"][0]["services"][0]),
      "1.0 s of processors, ~2.0 MiB of memory, 3 processes and threads");
  EXPECT_EQ(resources_text(usage()["workspaces"][1]), "");
}

TEST(Top, IsDrawnAgainOnATerminalAndCutToIt) {
  Terminal terminal;
  terminal.is_terminal = true;
  terminal.world.answers["resource_usage"] = until_interrupted(3);
  EXPECT_EQ(terminal.run({"top", "shop", "--color", "never"}), 0);
  EXPECT_EQ(count_of(terminal.out, "\x1b[H\x1b[J"), 3U);
  EXPECT_EQ(count_of(terminal.out, "and 4 lines more"), 3U) << terminal.out;
  for (const auto& line : lines_of(terminal.out.substr(terminal.out.rfind("\x1b[J") + 3))) {
    EXPECT_LE(width_of(line), 80U) << line;
  }
  ASSERT_EQ(terminal.world.calls.size(), 4U);
  EXPECT_FALSE(terminal.world.calls[0].second.contains("interval")) << "there at once";
  EXPECT_EQ(terminal.world.calls[1].second["interval"], "1s");
  EXPECT_EQ(terminal.world.calls[1].second["workspaces"], Json::array({"shop"}));
}

TEST(Top, IsWrittenElsewhere) {
  Terminal terminal;
  terminal.world.answers["resource_usage"] = until_interrupted(2);
  EXPECT_EQ(terminal.run({"top", "--interval", "5s"}), 0);
  EXPECT_EQ(count_of(terminal.out, "WORKSPACE "), 2U);
  EXPECT_EQ(terminal.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(terminal.world.calls[0].second, (Json{{"interval", "5s"}}));
  terminal.world.answers["resource_usage"] = until_interrupted(2);
  EXPECT_EQ(terminal.run({"top", "--json"}), 0);
  const auto lines = lines_of(terminal.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(Json::parse(lines[1]), usage());
}

TEST(Top, OnceIsOneDocument) {
  Terminal terminal;
  terminal.world.answers["resource_usage"] = until_interrupted(1);
  EXPECT_EQ(terminal.run({"top", "--once", "--json"}), 0);
  EXPECT_EQ(Json::parse(terminal.out), usage());
  terminal.world.answers["resource_usage"] = until_interrupted(0);
  EXPECT_EQ(terminal.run({"top", "--once"}), 130) << "that was not how it ends";
}

} // namespace pyro::cli
