#include "render.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace {

using operations::escape_controls;

std::string text_at(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return "";
  }
  return escape_controls(found->is_string() ? found->get<std::string>() : found->dump());
}

const Json& list_at(const Json& object, const char* key) {
  static const Json k_none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : k_none;
}

std::string bytes_at(const Json& object, std::string_view key) {
  const auto bytes = maybe_int(object, key);
  return bytes ? format_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *bytes))) : "";
}

std::string colored_state(const std::string& state, Style style) {
  if (state == "running" || state == "ready" || state == "completed") {
    return style.green(state);
  }
  return state == "failed" || state == "lost" ? style.red(state) : style.yellow(state);
}

std::string service_table(const Json& services, Style style) {
  Table table("  ");
  for (const auto& service : services) {
    const bool ready = bool_or(service, "ready", false);
    auto state = text_at(service, "state");
    state = ready && state == "running" ? "ready" : state;
    const auto ready_ms = maybe_int(service, "ready_ms");
    const auto restarts = int_or(service, "restarts", 0);
    const auto exit_code = maybe_int(service, "exit_code");
    table.add(
        {text_at(service, "name"), colored_state(state, style),
         ready_ms ? "ready in " + format_elapsed(std::chrono::milliseconds(*ready_ms)) : "",
         restarts > 0 ? fmt::format("{} restart{}", restarts, restarts == 1 ? "" : "s") : "",
         exit_code ? fmt::format("exit {}", *exit_code) : "", text_at(service, "note")});
  }
  return table.text();
}

std::string snapshot_table(const Json& snapshots) {
  Table table("  ");
  for (const auto& snapshot : snapshots) {
    const auto at = text_at(snapshot, "at");
    table.add(
        {text_at(snapshot, "name"), at.empty() ? "saved" : "at " + at, bytes_at(snapshot, "bytes"),
         text_at(snapshot, "created_at")});
  }
  return table.text();
}

} // namespace

std::string render_validation(const Json& result, Style style) {
  std::string text;
  for (const auto& one : list_at(result, "diagnostics")) {
    const bool error = string_or(one, "severity", "error") == "error";
    std::string place;
    if (const auto position = one.find("position"); position != one.end() && position->is_object()) {
      place = to_string(Position{
          string_or(*position, "file", ""), static_cast<int>(int_or(*position, "line", 0)),
          static_cast<int>(int_or(*position, "column", 0))});
    } else {
      place = text_at(one, "position");
    }
    const auto address = text_at(one, "address");
    text += fmt::format(
        "{}{}: {}{}\n", place.empty() ? "" : place + ": ",
        error ? style.red("error") : style.yellow("warning"), address.empty() ? "" : address + ": ",
        text_at(one, "message"));
    if (const auto hint = text_at(one, "hint"); !hint.empty()) {
      text += fmt::format("  hint: {}\n", hint);
    }
  }
  if (bool_or(result, "valid", false)) {
    const auto name = text_at(result, "name");
    text += fmt::format("{} is valid\n", name.empty() ? "The file" : name);
  }
  return text;
}

std::string render_status(const Json& status, Style style) {
  std::string text = fmt::format(
      "{}  {}  {}\n", style.bold(text_at(status, "name")), colored_state(text_at(status, "state"), style),
      style.dim(text_at(status, "id")));
  Table facts("  ");
  const auto fact = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      facts.add({label, value});
    }
  };
  const auto isolation = text_at(status, "isolation");
  fact("directory", text_at(status, "directory"));
  fact("backend", text_at(status, "backend") + (isolation.empty() ? "" : ", isolation " + isolation));
  fact("base", text_at(status, "base_snapshot"));
  fact("lives until", text_at(status, "expires_at"));
  if (bool_or(status, "spec_changed", false)) {
    fact("note", style.yellow("spec changed since apply; see: pyro plan"));
  }
  for (const auto& port : list_at(status, "ports")) {
    fact(
        "port",
        fmt::format("{} {} on {}", text_at(port, "service"), text_at(port, "guest"), text_at(port, "host")));
  }
  text += facts.text();
  if (const auto& services = list_at(status, "services"); !services.empty()) {
    text += "\nservices\n" + service_table(services, style);
  }
  if (const auto& snapshots = list_at(status, "snapshots"); !snapshots.empty()) {
    text += "\nsnapshots\n" + snapshot_table(snapshots);
  }
  if (const auto error = status.find("last_error"); error != status.end() && error->is_object()) {
    text += fmt::format("\n{}\n  {}\n", style.red("last error"), text_at(*error, "message"));
    if (const auto hint = text_at(*error, "hint"); !hint.empty()) {
      text += fmt::format("  hint: {}\n", hint);
    }
  }
  return text;
}

std::string render_list(const Json& result, Style style) {
  const auto& workspaces = list_at(result, "workspaces");
  if (workspaces.empty()) {
    return "No workspaces. `pyro apply` makes one from a pyro.yaml, `pyro init` writes that.\n";
  }
  Table table;
  table.add({"NAME", "STATE", "BACKEND", "ID", "CREATED", "DIRECTORY"});
  for (const auto& one : workspaces) {
    table.add(
        {text_at(one, "name"), colored_state(text_at(one, "state"), style), text_at(one, "backend"),
         text_at(one, "id"), text_at(one, "created_at"), text_at(one, "directory")});
  }
  return table.text();
}

std::string render_snapshots(const Json& result, Style) {
  const auto& snapshots = list_at(result, "snapshots");
  return snapshots.empty() ? "No snapshots. `pyro snapshot save NAME` takes one.\n"
                           : snapshot_table(snapshots);
}

std::string render_environments(const Json& result, Style) {
  Table table;
  table.add({"IMAGE", "DIGEST", "SIZE", "USED BY", "CREATED"});
  for (const auto& one : list_at(result, "environments")) {
    table.add(
        {text_at(one, "image"), text_at(one, "digest").substr(0, 19), bytes_at(one, "bytes"),
         text_at(one, "used_by"), text_at(one, "created_at")});
  }
  return list_at(result, "environments").empty() ? "No images yet. `pyro env pull IMAGE` fetches one.\n"
                                                 : table.text();
}

std::string render_doctor(const Json& result, Style style) {
  Table table;
  std::string hints;
  for (const auto& check : list_at(result, "checks")) {
    const bool ok = bool_or(check, "ok", false);
    const auto level = string_or(check, "level", ok ? "ok" : "error");
    const auto mark = level == "ok"      ? style.green("ok")
                      : level == "note"  ? "note"
                      : level == "error" ? style.red("error")
                                         : style.yellow("warning");
    table.add({mark, text_at(check, "name"), text_at(check, "text")});
    if (const auto hint = text_at(check, "hint"); !hint.empty() && level != "ok") {
      hints += fmt::format("hint: {}: {}\n", text_at(check, "name"), hint);
    }
  }
  std::string objects;
  if (const auto found = result.find("objects"); found != result.end() && found->is_object()) {
    Table counts("  ");
    for (const auto& [kind, value] : found->items()) {
      counts.add({kind, value.is_array() ? std::to_string(value.size()) : escape_controls(value.dump())});
    }
    objects = counts.empty() ? "" : "\nkernel objects of pyro\n" + counts.text();
  }
  return table.text() + (hints.empty() ? "" : "\n" + hints) + objects;
}

std::string render_removed(const Json& result) {
  const bool dry = bool_or(result, "dry_run", false);
  Table table("  ");
  for (const auto& one : list_at(result, "removed")) {
    if (one.is_object()) {
      table.add({text_at(one, "kind"), text_at(one, "name"), bytes_at(one, "bytes")});
    } else {
      table.add({escape_controls(one.is_string() ? one.get<std::string>() : one.dump())});
    }
  }
  if (table.empty()) {
    return "Nothing to remove.\n";
  }
  const auto bytes = bytes_at(result, "bytes");
  return fmt::format("{}\n", dry ? "Would remove:" : "Removed:") + table.text()
         + (bytes.empty() ? "" : fmt::format("{} {}.\n", bytes, dry ? "would be freed" : "freed"));
}

std::string render_applied(const Json& result, Style style) {
  const auto name =
      text_at(result, "name").empty() ? text_at(result, "workspace_id") : text_at(result, "name");
  const auto elapsed = std::chrono::milliseconds(int_or(result, "duration_ms", 0));
  if (!bool_or(result, "changed", false)) {
    return fmt::format("Nothing to do: {} is as pyro.yaml says. ({} ms)\n", name, elapsed.count());
  }
  std::string text =
      fmt::format("{} {} is as pyro.yaml says. ({})\n", style.green("Done:"), name, format_elapsed(elapsed));
  if (const auto& services = list_at(result, "services"); !services.empty()) {
    text += service_table(services, style);
  }
  return text + "Try: pyro exec -- COMMAND, pyro shell, pyro status\n";
}

std::string render_document(const Json& document) {
  Table table;
  for (const auto& [key, value] : document.items()) {
    if (!value.is_null()) {
      table.add({key, escape_controls(value.is_string() ? value.get<std::string>() : value.dump())});
    }
  }
  return table.text();
}

bool plan_changes(const Json& plan) {
  for (const auto& action : list_at(plan, "actions")) {
    const auto kind = string_or(action, "action", "noop");
    if (kind != "noop" && kind != "cached" && kind != "note") {
      return true;
    }
  }
  return false;
}

} // namespace pyro::cli
