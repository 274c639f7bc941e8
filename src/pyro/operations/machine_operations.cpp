#include "groups.hpp"
#include "schema_parts.hpp"
#include "version.hpp"

#include <pyro/workspace/machine.hpp>

namespace pyro::operations {

namespace {

Json environment_schema() {
  return result(
      {{"image", text("As it was asked for")},
       {"digest", text("What it is")},
       {"size_bytes", number("")},
       {"created_at", epoch("")},
       {"installed", flag("All its layers are here")},
       {"in_use", flag("A workspace stands on it")}},
      {"digest"});
}

Json prune_result() {
  return result(
      {{"removed", list_of(
                       result(
                           {{"kind", text("layer, recipe, …")},
                            {"name", text("")},
                            {"image", text("Of env_prune")},
                            {"digest", text("Of env_prune")},
                            {"size_bytes", number("")},
                            {"reason", text("")}}),
                       "")},
       {"size_bytes", number("Freed, or to be freed; of env_prune: bytes")},
       {"bytes", number("Of env_prune: freed, or to be freed")},
       {"dry_run", flag("")}});
}

Operation env_prune_operation() {
  return {
      .name = "env_prune",
      .summary = "Remove images that nothing uses",
      .parameters_schema = parameters({{"dry_run", flag("Only say what would go")}}),
      .result_schema = prune_result(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::prune_environments(context.workspaces, bool_or(given, "dry_run", false));
      }};
}

Operation doctor_operation() {
  const auto check = result(
      {{"name", text("")},
       {"ok", flag("")},
       {"level", choice({"ok", "note", "warning", "error"}, "")},
       {"text", text("")},
       {"hint", text("What to do about it")}},
      {"name", "ok"});
  return {
      .name = "doctor",
      .summary = "What this machine can do, what is missing, and which kernel objects pyro owns",
      .parameters_schema = parameters({}),
      .result_schema = result({{"checks", list_of(check, "")}, {"objects", result({})}}, {"checks"}),
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
      .parameters_schema = parameters({{"dry_run", flag("Only say what would go")}}),
      .result_schema = prune_result(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::prune_store(context.workspaces, bool_or(given, "dry_run", false));
      }};
}

Operation version_operation() {
  return {
      .name = "version",
      .summary = "The version of pyro and of the formats it reads",
      .parameters_schema = parameters({}),
      .result_schema = result({{"version", text("")}, {"file_format", number("")}}, {"version"}),
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
      version_operation(),
  };
}

} // namespace pyro::operations
