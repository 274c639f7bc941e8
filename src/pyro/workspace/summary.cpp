#include "summary.hpp"

#include "inspection.hpp"

#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_walk.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/command_log.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

constexpr std::int64_t k_recent_commands = 5;
constexpr std::size_t k_shown_changes = 50;

/// Bytes on disk of its own writable layer; files in it may be for the ids of the inside only.
std::uint64_t written_bytes(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  const auto directory = paths.generation(record.generation);
  return os::IdSpace::current()
      .run([&directory]() -> Json {
        std::uint64_t bytes = 0;
        os::TreeVisitor visitor;
        visitor.enter = [&bytes](const os::TreeEntry& entry) {
          const bool is_topmost = entry.path.find('/') == std::string::npos;
          if (is_topmost && (!entry.is_directory() || entry.name.front() == '.')) {
            return os::Visit::skip; // what is known of the layer, and disks of virtual machines
          }
          bytes += static_cast<std::uint64_t>(entry.status.st_blocks) * 512;
          return os::Visit::go_on;
        };
        os::walk_tree(directory, visitor);
        return bytes;
      })
      .get<std::uint64_t>();
}

Json recent_commands(const CommandLog& log) {
  Json list = Json::array();
  for (auto& entry : log.entries(k_recent_commands)) {
    entry.erase("stdout");
    entry.erase("stderr");
    entry.erase("output_id");
    list.push_back(std::move(entry));
  }
  return {{"count", log.count()}, {"recent", list}};
}

Json snapshot_summary(const Json& snapshots) {
  Json names = Json::array();
  std::int64_t bytes = 0;
  for (const auto& snapshot : snapshots) {
    names.push_back(snapshot["snapshot_name"]);
    bytes += int_or(snapshot, "size_bytes", 0);
  }
  return {{"count", names.size()}, {"names", names}, {"size_bytes", bytes}};
}

/// Paths are relative to /workspace.
Json change_summary(Json diff) {
  constexpr std::string_view k_root = "/workspace/";
  auto& entries = diff["entries"];
  Json shown = Json::array();
  for (std::size_t index = 0; index < std::min(entries.size(), k_shown_changes); ++index) {
    auto path = get_string(entries[index], "path");
    path.erase(0, path.starts_with(k_root) ? k_root.size() : 0);
    shown.push_back({{"path", path}, {"status", entries[index]["status"]}});
  }
  return {
      {"changed", diff["changed"]},
      {"summary", diff["summary"]},
      {"entries", shown},
      {"truncated", entries.size() > k_shown_changes}};
}

} // namespace

Json summarize_workspace(Context& context, const std::string& workspace) {
  auto document = get_workspace_status(context, workspace, {});
  const auto id = get_string(document, "workspace_id");
  const auto record = load_and_recover(context, id);
  const store::WorkspacePaths paths(context.base, id);
  Json result;
  for (const auto* key :
       {"workspace_id", "name", "labels", "state", "environment", "workspace_seed", "created_at",
        "last_activity_at", "expires_at", "reset_count", "last_error"}) {
    result[key] = document[key];
  }
  result["commands"] = recent_commands(CommandLog(paths, record));
  result["services"] = {
      {"count", document["service_count"]},
      {"running_count", document["running_service_count"]},
      {"services", document["services"]}};
  result["snapshots"] = snapshot_summary(document["snapshots"]);
  result["changes"] = change_summary(diff_from_base(context, id, {}, {"/workspace"}, false));
  result["size_bytes"] =
      read_consistently(context, id, "summary", [&](const store::WorkspaceRecord& now) -> Json {
        return written_bytes(paths, now);
      });
  return result;
}

} // namespace pyro::workspace
