// Workspaces as text: status, list, snapshots, and what lifecycle commands did.
#include "render.hpp"
#include "render_network.hpp"
#include "render_parts.hpp"
#include "render_place.hpp"
#include "render_resources.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace {

constexpr std::size_t k_short_id = 12;

std::string readiness(const Json& service) {
  const auto started = epoch_at(service, "started_at");
  const auto ready = epoch_at(service, "ready_at");
  return ready > 0 && ready >= started && started > 0 ? "in " + span_text(ready - started) : "";
}

std::string ending(const Json& service) {
  if (const auto signal = int_or(service, "signal", 0); signal > 0) {
    return fmt::format("signal {}", signal);
  }
  const auto code = maybe_int(service, "exit_code");
  return code ? fmt::format("exit {}", *code) : "";
}

std::string service_table(const Json& services, Style style) {
  Table table("  ");
  for (const auto& service : services) {
    const auto state = text_at(service, "state");
    const bool good = state == "ready" || state == "running" || state == "completed";
    const auto restarts = int_or(service, "restarts", 0);
    const auto reason = text_at(service, "reason");
    table.add(
        {text_at(service, "name"), colored_state(state, style), good ? readiness(service) : "",
         memory_text(service), restarts > 0 ? counted(restarts, "restart") : "",
         good && state != "completed" ? "" : ending(service),
         good             ? ""
         : reason.empty() ? text_at(service, "last_probe")
                          : reason});
  }
  return table.text();
}

std::string kind_text(const Json& snapshot) {
  const auto kind = text_at(snapshot, "kind");
  return kind == "managed" ? "declared" : kind == "named" ? "saved" : kind;
}

/// What it adds to what it stands on.
std::string snapshot_size_text(const Json& snapshot) {
  const bool same = int_or(snapshot, "size_bytes", 0) == 0 && int_or(snapshot, "entry_count", 0) == 0;
  const auto parent = text_at(snapshot, "parent");
  return same && !parent.empty() ? "same as " + parent : bytes_at(snapshot, "size_bytes");
}

void add_snapshots(Table& table, const Json& snapshots, double now) {
  for (const auto& snapshot : snapshots) {
    table.add(
        {text_at(snapshot, "snapshot_name"), kind_text(snapshot),
         age_text(epoch_at(snapshot, "created_at"), now), snapshot_size_text(snapshot),
         bool_or(snapshot, "outdated", false) ? "out of date: made again when it is used" : ""});
  }
}

std::string undo_text(const Json& undo, double now) {
  const auto until = epoch_at(undo, "expires_at");
  return fmt::format(
      "`pyro undo` takes back: {}, {}{}", text_at(undo, "reason"), age_text(epoch_at(undo, "made_at"), now),
      until > now ? fmt::format("; for another {}", span_text(until - now)) : "");
}

std::string disk_text(const Json& disk) {
  const auto limit = format_bytes(static_cast<std::uint64_t>(int_or(disk, "limit_bytes", 0)));
  const auto used = maybe_int(disk, "used_bytes");
  return used ? fmt::format("{} of {}", format_bytes(static_cast<std::uint64_t>(*used)), limit)
              : fmt::format("limit {}", limit);
}

std::string disk_stop_text(const Json& stop, double now) {
  const auto largest = text_at(stop, "largest_file");
  return fmt::format(
      "stopped {}: {}{}", age_text(epoch_at(stop, "at"), now), text_at(stop, "reason"),
      largest.empty() ? ""
                      : fmt::format("; largest file {}, {}", largest, bytes_at(stop, "largest_file_bytes")));
}

std::string error_lines(const Json& status, Style style) {
  const auto error = status.find("last_error");
  if (error == status.end()) {
    return "";
  }
  if (error->is_string() && !error->get<std::string>().empty()) {
    return fmt::format("\n{}\n  {}\n", style.red("last error"), text_at(status, "last_error"));
  }
  if (!error->is_object()) {
    return "";
  }
  const auto hint = text_at(*error, "hint");
  return fmt::format("\n{}\n  {}\n", style.red("last error"), text_at(*error, "message"))
         + (hint.empty() ? "" : fmt::format("  hint: {}\n", hint));
}

/// "12 files inside: 8 by apt, 4 other; see: pyro diff"; empty: nothing was.
std::string drift_text(const Json& drift) {
  std::string parts;
  for (const auto& group : list_at(drift, "causes")) {
    parts +=
        fmt::format("{}{} {}", parts.empty() ? "" : ", ", text_at(group, "count"), text_at(group, "text"));
  }
  return parts.empty()
             ? ""
             : fmt::format(
                 "{} inside: {}; see: pyro diff", counted(int_or(drift, "count", 0), "path"), parts);
}

/// "the same twice, 5 min ago", "2 files differed (2 time), 5 min ago; of other steps than these".
std::string verified_text(const Json& verified, double now) {
  const auto when = age_text(epoch_at(verified, "at"), now);
  const auto text =
      bool_or(verified, "reproducible", false)
          ? "the same twice"
          : fmt::format("{} of two builds differed", counted(int_or(verified, "count", 0), "file"));
  return fmt::format(
      "{}, {}{}", text, when, bool_or(verified, "current", true) ? "" : "; the steps are others now");
}

std::string fact_table(const Json& status, Style style, double now) {
  Table facts("  ");
  const auto fact = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      facts.add({label, value});
    }
  };
  const auto isolation = text_at(status, "isolation");
  const auto backend = text_at(status, "backend");
  const auto memory = int_or(status, "mem_mib", 0);
  const auto resets = int_or(status, "reset_count", 0);
  const auto started = epoch_at(status, "started_at");
  fact("description", text_at(status, "description"));
  fact(
      "directory",
      text_at(status, "checkout") + (bool_or(status, "checkout_gone", false) ? " (it is gone)" : ""));
  for (const auto& [label, value] : place_facts(status, style, now)) {
    fact(label, value);
  }
  fact("image", text_at(status, "environment"));
  fact("backend", backend.empty() || isolation.empty() ? backend : backend + ", isolation " + isolation);
  if (memory > 0) {
    const auto bytes = static_cast<std::uint64_t>(memory) << 20;
    fact("size", fmt::format("{}, {}", counted(int_or(status, "vcpu_count", 1), "cpu"), format_bytes(bytes)));
  }
  if (const auto uses = status.find("resources"); uses != status.end() && uses->is_object()) {
    fact("uses", resources_text(*uses));
  }
  if (const auto disk = status.find("disk"); disk != status.end() && disk->is_object()) {
    fact("disk", disk_text(*disk));
    if (const auto stop = disk->find("stopped"); stop != disk->end() && stop->is_object()) {
      fact("", style.red(disk_stop_text(*stop, now)));
    }
    if (const auto reached = disk->find("reached"); reached != disk->end() && reached->is_object()) {
      fact(
          "", style.red(fmt::format(
                  "{} {}", text_at(*reached, "reason"), age_text(epoch_at(*reached, "at"), now))));
    }
    fact("", text_at(*disk, "trouble"));
  }
  fact("base", text_at(status, "base_snapshot"));
  fact("up", started > 0 ? span_text(std::max(0.0, now - started)) : "");
  fact("ends", age_text(epoch_at(status, "expires_at"), now));
  if (resets > 0) {
    fact("resets", fmt::format("{}, the last {}", resets, age_text(epoch_at(status, "last_reset_at"), now)));
  }
  if (const auto undo = status.find("undo"); undo != status.end() && undo->is_object()) {
    fact("undo", undo_text(*undo, now));
  }
  for (const auto& mount : list_at(status, "mounts")) {
    fact(
        "live",
        fmt::format("{} is {} ({})", text_at(mount, "to"), text_at(mount, "from"), text_at(mount, "mode")));
  }
  for (const auto& port : list_at(status, "ports")) {
    fact("port", fmt::format("{} {} at {}", text_at(port, "service"), text_at(port, "port"), place_of(port)));
  }
  if (const auto lock = status.find("lock"); lock != status.end() && lock->is_object()) {
    fact(
        "busy", fmt::format(
                    "{} by {} on {} (pid {}), since {}", text_at(*lock, "operation"), text_at(*lock, "owner"),
                    text_at(*lock, "host"), text_at(*lock, "pid"), age_text(epoch_at(*lock, "since"), now)));
  }
  if (const auto verified = status.find("verified"); verified != status.end() && verified->is_object()) {
    fact("verified", verified_text(*verified, now));
  }
  if (const auto drift = status.find("drift"); drift != status.end() && drift->is_object()) {
    fact("changed", drift_text(*drift));
  }
  for (const auto& note : list_at(status, "notes")) {
    fact("note", operations::escape_controls(note.is_string() ? note.get<std::string>() : note.dump()));
  }
  if (int_or(status, "generation", 1) == 0) {
    const auto lock = status.find("lock");
    const bool is_at_work = lock != status.end() && string_or(*lock, "operation", "") == "apply";
    fact(
        "file", style.yellow(
                    is_at_work ? "pyro.yaml is being applied for the first time"
                               : "pyro.yaml is not fully applied; `pyro apply` goes on"));
  } else if (bool_or(status, "spec_changed", false)) {
    fact("file", style.yellow("pyro.yaml changed since apply; see: pyro plan"));
  }
  return facts.text();
}

} // namespace

std::string render_status(const Json& status, Style style, double now) {
  const auto state = text_at(status, "state");
  auto text = fmt::format(
      "{}  {}  {}\n", style.bold(text_at(status, "name")), colored_state(state, style),
      style.dim(text_at(status, "workspace_id")));
  if (state == "destroyed") {
    text += fmt::format(
        "  destroyed {}; `pyro apply` makes it anew\n", age_text(epoch_at(status, "destroyed_at"), now));
    if (const auto undo = status.find("undo"); undo != status.end() && undo->is_object()) {
      text += "  " + undo_text(*undo, now) + "\n";
    }
    return text;
  }
  text += fact_table(status, style, now);
  if (const auto& services = list_at(status, "services"); !services.empty()) {
    text += "\nservices\n" + service_table(services, style);
  }
  if (const auto network = status.find("network"); network != status.end() && network->is_object()) {
    if (const auto& hosts = list_at(*network, "hosts"); !hosts.empty()) {
      text += "\nnetwork\n" + render_hosts(hosts, style);
    }
  }
  if (const auto& snapshots = list_at(status, "snapshots"); !snapshots.empty()) {
    Table table("  ");
    add_snapshots(table, snapshots, now);
    text += "\nsnapshots\n" + table.text();
  }
  if (const auto error = text_at(status, "snapshots_error"); !error.empty()) {
    text += fmt::format("\nsnapshots\n  {}\n", style.red(error));
  }
  return text + error_lines(status, style);
}

namespace {

/// Of a destroyed one.
std::string kept_text(const Json& workspace, double now) {
  if (text_at(workspace, "state") != "destroyed") {
    return "";
  }
  const auto undo = workspace.find("undo");
  const auto until = undo != workspace.end() && undo->is_object() ? epoch_at(*undo, "expires_at") : 0;
  return until > now ? fmt::format("; `pyro undo` brings it back for another {}", span_text(until - now))
                     : "; kept for its snapshots";
}

} // namespace

std::string render_list(const Json& result, Style style, double now) {
  const auto& workspaces = list_at(result, "workspaces");
  std::string damaged;
  for (const auto& id : list_at(result, "damaged")) {
    damaged += fmt::format(
        "{0}: its record cannot be read: `pyro workspace status {0}` says why, `pyro workspace reap` removes "
        "it if it is "
        "damaged\n",
        id.get<std::string>());
  }
  if (workspaces.empty()) {
    return damaged + "No workspaces. `pyro apply` makes one from a pyro.yaml, `pyro init` writes that.\n";
  }
  Table table;
  table.add({"NAME", "STATE", "ID", "BACKEND", "ACTIVE", "DIRECTORY", "PORTS"});
  for (const auto& one : workspaces) {
    std::string ports;
    for (const auto& port : list_at(one, "ports")) {
      ports += (ports.empty() ? "" : ", ") + text_at(port, "service") + " " + place_of(port);
    }
    const auto* gone = bool_or(one, "checkout_gone", false) ? "; the directory is gone" : "";
    table.add(
        {text_at(one, "name"), colored_state(text_at(one, "state"), style),
         text_at(one, "workspace_id").substr(0, k_short_id), text_at(one, "backend") + on_node(one),
         age_text(epoch_at(one, "last_activity_at"), now),
         text_at(one, "checkout") + gone + kept_text(one, now), ports});
  }
  return table.text() + damaged;
}

std::string render_snapshots(const Json& result, Style, double now) {
  const auto& snapshots = list_at(result, "snapshots");
  if (snapshots.empty()) {
    return "No snapshots. `pyro snapshot save NAME` takes one.\n";
  }
  Table table;
  table.add({"NAME", "KIND", "TAKEN", "SIZE"});
  add_snapshots(table, snapshots, now);
  return table.text();
}

namespace {

std::string but_for_left_out(const Json& result) {
  const auto plan = result.find("plan");
  const bool is_part = plan != result.end() && plan->is_object() && plan->contains("left_out");
  return is_part ? ", but for what was left out" : "";
}

} // namespace

std::string render_applied(const Json& result, Style style) {
  const auto elapsed = std::chrono::milliseconds(int_or(result, "duration_ms", 0));
  Table ports("  ");
  for (const auto& port : list_at(result, "ports")) {
    ports.add(
        {text_at(port, "service"), place_of(port), fmt::format("port {} inside", text_at(port, "port"))});
  }
  if (!bool_or(result, "changed", false)) {
    return fmt::format(
               "Nothing to do: {} is as pyro.yaml says{}. ({} ms)\n", subject_of(result),
               but_for_left_out(result), elapsed.count())
           + ports.text();
  }
  std::string text = fmt::format(
      "{} {} is as pyro.yaml says{}. ({})\n", style.green("Done:"), subject_of(result),
      but_for_left_out(result), format_elapsed(elapsed));
  if (const auto& services = list_at(result, "services"); !services.empty()) {
    text += service_table(services, style);
  }
  return text + ports.text() + "Try: pyro exec -- COMMAND, pyro shell, pyro status\n";
}

} // namespace pyro::cli
