#include "render_resources.hpp"

#include "render_parts.hpp"

#include <fmt/format.h>

namespace pyro::cli {

namespace {

const Json& part_of(const Json& figures, const char* key) {
  static const Json k_none = Json::object();
  const auto found = figures.find(key);
  return found != figures.end() && found->is_object() ? *found : k_none;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

/// "3 / 4", or without a limit "3".
std::string beside_limit(const std::string& text, const std::string& limit) {
  return text.empty() || limit.empty() ? text : text + " / " + limit;
}

std::string percent_text(const Json& figures) {
  const auto& cpu = part_of(figures, "cpu");
  const auto percent = cpu.find("percent");
  return percent != cpu.end() && percent->is_number() ? fmt::format("{:.1f}%", percent->get<double>()) : "";
}

std::string oom_text(const Json& workspace, Style style, double now) {
  const auto& kills = part_of(workspace, "oom_kills");
  const auto count = maybe_int(kills, "count");
  if (!count) {
    return "-";
  }
  const auto& last = part_of(kills, "last");
  const auto who = text_at(last, "who");
  const auto text = who.empty() ? fmt::format("{}", *count)
                                : fmt::format("{}: {}, {}", *count, who, age_text(epoch_at(last, "at"), now));
  return *count > 0 ? style.red(text) : text;
}

std::vector<std::string> cells_of(const std::string& name, const Json& figures) {
  const auto& memory = part_of(figures, "memory");
  const auto& pids = part_of(figures, "pids");
  const auto& disk = part_of(figures, "disk");
  return {
      name,
      or_dash(percent_text(figures)),
      or_dash(beside_limit(memory_text(figures), bytes_at(memory, "limit_bytes"))),
      or_dash(bytes_at(memory, "peak_bytes")),
      or_dash(beside_limit(text_at(pids, "count"), text_at(pids, "limit"))),
      or_dash(beside_limit(bytes_at(disk, "used_bytes"), bytes_at(disk, "limit_bytes")))};
}

void add_workspace(Table& table, const Json& workspace, Style style, double now) {
  const auto state = text_at(workspace, "state");
  const auto name = text_at(workspace, "name") + (state == "started" ? "" : " (" + state + ")");
  auto row = cells_of(style.bold(name), workspace);
  row.push_back(oom_text(workspace, style, now));
  table.add(std::move(row));
  if (const auto& vmm = part_of(workspace, "vmm"); !vmm.empty()) {
    auto outside = cells_of(fmt::format("  ({} on this machine)", text_at(workspace, "backend")), vmm);
    outside.back().clear(); // its disk is that of the inside
    table.add(std::move(outside));
  }
  for (const auto& service : list_at(workspace, "services")) {
    if (part_of(service, "pids").empty()) {
      continue; // has no process
    }
    auto cells = cells_of("  " + text_at(service, "name"), service);
    cells[5].clear();
    const auto kills = int_or(service, "oom_kills", 0);
    cells.push_back(kills > 0 ? style.red(std::to_string(kills)) : "");
    table.add(std::move(cells));
  }
}

bool is_summed(const Json& figures) {
  return text_at(part_of(figures, "memory"), "counted_by") == "processes";
}

} // namespace

std::string memory_text(const Json& figures) {
  const auto bytes = bytes_at(part_of(figures, "memory"), "bytes");
  return bytes.empty() || !is_summed(figures) ? bytes : "~" + bytes;
}

std::string resources_text(const Json& resources) {
  std::string text;
  const auto add = [&text](const std::string& one) {
    text += (text.empty() ? "" : ", ") + one;
  };
  if (const auto& cpu = part_of(resources, "cpu"); cpu.contains("seconds")) {
    add(span_text(epoch_at(cpu, "seconds")) + " of processors");
  }
  if (const auto memory = memory_text(resources); !memory.empty()) {
    const auto peak = bytes_at(part_of(resources, "memory"), "peak_bytes");
    add(memory + " of memory" + (peak.empty() ? "" : " (at most " + peak + ")"));
  }
  if (const auto pids = text_at(part_of(resources, "pids"), "count"); !pids.empty()) {
    add(pids + " processes and threads");
  }
  return text;
}

std::string render_resource_usage(const Json& result, Style style, double now) {
  const auto& workspaces = list_at(result, "workspaces");
  if (workspaces.empty()) {
    return "No workspace runs.\n";
  }
  Table table;
  table.add({"WORKSPACE", "CPU", "MEMORY", "PEAK", "PIDS", "DISK", "OOM KILLS"});
  bool any_summed = false;
  std::string troubles;
  for (const auto& workspace : workspaces) {
    add_workspace(table, workspace, style, now);
    any_summed = any_summed || is_summed(workspace) || is_summed(part_of(workspace, "vmm"));
    for (const auto& service : list_at(workspace, "services")) {
      any_summed = any_summed || is_summed(service);
    }
    if (const auto trouble = text_at(workspace, "trouble"); !trouble.empty()) {
      troubles += fmt::format("{}: {}\n", text_at(workspace, "name"), style.red(trouble));
    }
  }
  return table.text()
         + (any_summed ? style.dim("~ summed over processes: what they share is in each one's sum") + "\n"
                       : "")
         + troubles;
}

} // namespace pyro::cli
