#include "groups.hpp"
#include "schema_parts.hpp"
#include "version.hpp"

#include <pyro/workspace/disk_use.hpp>
#include <pyro/workspace/execution.hpp>
#include <pyro/workspace/machine.hpp>
#include <pyro/workspace/purge.hpp>

namespace pyro::operations {

namespace {

Json environment_schema() {
  return result(
      {{"image", text("As it was asked for")},
       {"digest", text("What it is")},
       {"size_bytes", number("How much it holds")},
       {"created_at", epoch("")},
       {"installed", flag("All its layers are here")},
       {"in_use", flag("A workspace stands on it")}},
      {"digest"});
}

Json removed_items() {
  return list_of(
      result(
          {{"kind", text("workspace, layer, recipe, …")},
           {"name", text("As it was given or made")},
           {"image", text("Of env_prune")},
           {"digest", text("Of env_prune")},
           {"size_bytes", number("How much it holds")},
           {"reason", text("Why")}}),
      "");
}

Json env_prune_result() {
  return result(
      {{"removed", removed_items()},
       {"kept", number("Images that stay")},
       {"bytes", number("Freed, or to be freed")},
       {"dry_run", flag("Was it only looked at?")}});
}

Json holder_schema() {
  return result(
      {{"kind",
        text("workspace, destroyed (kept for undo and its snapshots), steps (cached for that name), image, "
             "caches, disk_images, templates, shared_cache, unneeded")},
       {"name", text("As it was given or made")},
       {"workspace_id", or_null(text("Of the workspace"))},
       {"size_bytes", number("What nothing before it in the list needs")},
       {"until", or_null(epoch("When retention gives it up; null: not by itself"))}},
      {"kind", "name", "size_bytes"});
}

Json prune_result() {
  return result(
      {{"removed", removed_items()},
       {"size_bytes", number("Freed, or to be freed")},
       {"kept", list_of(holder_schema(), "What stays although no workspace needs it")},
       {"skipped", list_of(text(""), "What was in the way")},
       {"dry_run", flag("Was it only looked at?")}});
}

Operation env_prune_operation() {
  return {
      .name = "env_prune",
      .summary = "Remove images that nothing uses",
      .parameters_schema = parameters({{"dry_run", flag("Only say what would go")}}),
      .result_schema = env_prune_result(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::prune_environments(context.workspaces, bool_or(given, "dry_run", false));
      }};
}

Operation doctor_operation() {
  const auto check = result(
      {{"backend", text("Which backend it is about; empty: all")},
       {"name", text("What is looked at; with backend one of those of docs/doctor.md, each there once")},
       {"ok", flag("Is all well?")},
       {"level", choice({"ok", "note", "warning", "error"}, "")},
       {"text", text("For people")},
       {"hint", text("What to do about it")}},
      {"backend", "name", "ok", "level", "text", "hint"});
  return {
      .name = "doctor",
      .summary = "What this machine can do, what is missing, and which kernel objects pyro owns",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"format_version", text("1.0; its minor number counts additions")},
           {"usable", flag("Does a backend work?")},
           {"base", text("The state directory")},
           {"checks", list_of(check, "")},
           {"objects", result({})}},
          {"format_version", "usable", "checks"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return workspace::examine_machine(context.workspaces);
      }};
}

Operation prune_operation() {
  return {
      .name = "prune",
      .summary = "Remove what no workspace needs and no retention keeps",
      .parameters_schema = parameters(
          {{"all", flag("Also what is kept: destroyed workspaces, cached steps, images, caches")},
           {"dry_run", flag("Only say what would go")},
           {"approve", flag("Do not ask where something would be lost for good")}}),
      .result_schema = prune_result(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        const auto keep =
            bool_or(given, "all", false) ? workspace::PruneKeep::needed : workspace::PruneKeep::retained;
        const bool is_dry = bool_or(given, "dry_run", false);
        if (!is_dry) {
          workspace::remove_failed_steps(context.workspaces);
        }
        return workspace::prune_store(context.workspaces, {keep, is_dry}, options_of(context, given));
      }};
}

Operation disk_usage_operation() {
  return {
      .name = "disk_usage",
      .summary = "What takes disk space, for whom it is kept and until when",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"base", text("The state directory")},
           {"size_bytes", number("All of it together")},
           {"free_bytes", number("Of the file system")},
           {"holders", list_of(holder_schema(), "")},
           {"prune_bytes", number("What prune would free now")},
           {"prune_all_bytes", number("What prune with all would")}},
          {"size_bytes", "holders"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return workspace::disk_usage(context.workspaces);
      }};
}

Operation purge_operation() {
  return {
      .name = "purge",
      .summary = "End every sandbox and remove all that pyro has of this user: workspaces, snapshots, caches",
      .parameters_schema = parameters({{"approve", flag("Do not ask")}}),
      .result_schema = result(
          {{"removed", list_of(text(""), "Directories")},
           {"left", list_of(text(""), "What is there and not pyro's")},
           {"workspaces", number("How many there were")},
           {"size_bytes", number("Freed")}},
          {"removed"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::purge(context.workspaces, options_of(context, given));
      }};
}

Operation version_operation() {
  return {
      .name = "version",
      .summary = "The version of pyro and of the formats it reads",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"version", text("Of pyro")}, {"file_format", number("Version of pyro.yaml that is read")}},
          {"version"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context&, const Json&) {
        return Json{{"version", version()}, {"file_format", 1}, {"plan_format", "1.0"}};
      }};
}

} // namespace

std::vector<Operation> machine_operations() {
  return {
      {.name = "env_list",
       .summary = "Images that are on this machine",
       .parameters_schema = parameters({}),
       .result_schema = result({{"environments", list_of(environment_schema(), "")}}, {"environments"}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json&) {
             return workspace::list_environments(context.workspaces);
           }},
      {.name = "env_pull",
       .summary = "Fetch an image now, so that apply need not",
       .parameters_schema = parameters(
           {{"image", text("As environment.image in pyro.yaml")},
            {"refresh", flag("Also where it is here: another image may have its name by now")}},
           {"image"}),
       .result_schema = environment_schema(),
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::pull_environment(
                 context.workspaces, get_string(given, "image"), bool_or(given, "refresh", false));
           }},
      {.name = "env_inspect",
       .summary = "Layers, size and defaults of an image",
       .parameters_schema =
           parameters({{"image", text("As environment.image in pyro.yaml, or a digest")}}, {"image"}),
       .result_schema = result({}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::inspect_environment(context.workspaces, get_string(given, "image"));
           }},
      {.name = "env_remove",
       .summary = "Forget an image that nothing stands on; prune then removes its layers",
       .parameters_schema = parameters({{"image", text("As environment.image in pyro.yaml")}}, {"image"}),
       .result_schema = environment_schema(),
       .destructive = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::remove_environment(context.workspaces, get_string(given, "image"));
           }},
      env_prune_operation(),
      doctor_operation(),
      prune_operation(),
      disk_usage_operation(),
      purge_operation(),
      version_operation(),
  };
}

} // namespace pyro::operations
