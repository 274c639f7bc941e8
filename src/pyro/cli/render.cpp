#include "render.hpp"

#include "render_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

using operations::escape_controls;

double epoch_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

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

std::string render_environments(const Json& result, Style, double now) {
  const auto& environments = list_at(result, "environments");
  Table table;
  table.add({"IMAGE", "DIGEST", "SIZE", "USED", "MADE"});
  for (const auto& one : environments) {
    table.add(
        {text_at(one, "image"), text_at(one, "digest").substr(0, 12), bytes_at(one, "size_bytes"),
         bool_or(one, "in_use", false)     ? "yes"
         : bool_or(one, "installed", true) ? "no"
                                           : "layers are gone",
         age_text(epoch_at(one, "created_at"), now)});
  }
  return environments.empty() ? "No images yet. `pyro env pull IMAGE` fetches one.\n" : table.text();
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
      const auto image = text_at(one, "image");
      const auto kind = text_at(one, "kind");
      const auto name = text_at(one, "name");
      table.add(
          {kind.empty() ? "image" : kind,
           !name.empty()    ? name
           : !image.empty() ? image
                            : text_at(one, "digest"),
           bytes_at(one, "size_bytes"), text_at(one, "reason")});
    } else {
      table.add({escape_controls(one.is_string() ? one.get<std::string>() : one.dump())});
    }
  }
  if (table.empty()) {
    return "Nothing to remove.\n";
  }
  const auto bytes = bytes_at(result, result.contains("bytes") ? "bytes" : "size_bytes");
  return fmt::format("{}\n", dry ? "Would remove:" : "Removed:") + table.text()
         + (bytes.empty() ? "" : fmt::format("{} {}.\n", bytes, dry ? "would be freed" : "freed"));
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
