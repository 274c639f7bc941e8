// What takes disk space, and what was given back.
#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

std::string holder_text(const Json& holder) {
  const auto kind = text_at(holder, "kind");
  const auto name = text_at(holder, "name");
  const auto id = text_at(holder, "workspace_id");
  const auto titled = name.empty() ? id : id.empty() ? name : fmt::format("{} ({})", name, id);
  return kind == "workspace"      ? "workspace " + titled
         : kind == "destroyed"    ? "destroyed workspace " + titled
         : kind == "steps"        ? "cached steps of " + name
         : kind == "image"        ? "image " + name
         : kind == "caches"       ? "caches of steps"
         : kind == "disk_images"  ? "disk images of virtual machines"
         : kind == "templates"    ? "saved virtual machines"
         : kind == "shared_cache" ? "kernels and digests, " + name
         : kind == "unneeded"     ? "what nothing needs"
                                  : kind + " " + name;
}

std::string until_text(const Json& holder, double now) {
  if (const auto until = epoch_at(holder, "until"); until > 0) {
    return until > now ? fmt::format("for another {}", span_text(until - now)) : "until the next prune";
  }
  const auto kind = text_at(holder, "kind");
  return kind == "workspace"   ? "until it is destroyed"
         : kind == "destroyed" ? "for its snapshots"
         : kind == "steps"     ? "as the last ones of each step"
         : kind == "image"     ? "until `pyro prune --all`"
                               : "";
}

Table table_of(const Json& holders, double now) {
  Table table("  ");
  for (const auto& holder : holders) {
    table.add({bytes_at(holder, "size_bytes"), holder_text(holder), until_text(holder, now)});
  }
  return table;
}

std::uint64_t bytes_of(const Json& list) {
  std::uint64_t sum = 0;
  for (const auto& one : list) {
    sum += static_cast<std::uint64_t>(int_or(one, "size_bytes", 0));
  }
  return sum;
}

} // namespace

std::string render_pruned(const Json& result, double now) {
  auto text = render_removed(result);
  for (const auto& skipped : list_at(result, "skipped")) {
    text += fmt::format("skipped: {}\n", operations::escape_controls(skipped.get<std::string>()));
  }
  const auto& kept = list_at(result, "kept");
  if (kept.empty()) {
    return text;
  }
  return text
         + fmt::format(
             "Kept though no workspace needs it: {}; `pyro prune --all` removes it.\n",
             format_bytes(bytes_of(kept)))
         + table_of(kept, now).text();
}

std::string render_disk_usage(const Json& result, double now) {
  return table_of(list_at(result, "holders"), now).text()
         + fmt::format(
             "{} in all, {} free. `pyro prune` frees {}, `pyro prune --all` {}.\n",
             bytes_at(result, "size_bytes"), bytes_at(result, "free_bytes"), bytes_at(result, "prune_bytes"),
             bytes_at(result, "prune_all_bytes"));
}

std::string render_purged(const Json& result) {
  const auto& removed = list_at(result, "removed");
  std::string text =
      removed.empty() && list_at(result, "left").empty() ? "There is nothing of pyro here.\n" : "";
  for (const auto& directory : removed) {
    text += fmt::format("Removed {}.\n", operations::escape_controls(directory.get<std::string>()));
  }
  for (const auto& left : list_at(result, "left")) {
    text +=
        fmt::format("Left: {}, which is not pyro's.\n", operations::escape_controls(left.get<std::string>()));
  }
  return text + fmt::format("{} freed.\n", bytes_at(result, "size_bytes"));
}

} // namespace pyro::cli
