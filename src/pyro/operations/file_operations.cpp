#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/declared_file.hpp>
#include <pyro/workspace/editor_schema.hpp>
#include <pyro/workspace/explanation.hpp>
#include <pyro/workspace/first_file.hpp>
#include <pyro/workspace/importing.hpp>
#include <pyro/workspace/locking.hpp>

namespace pyro::operations {

namespace {

Json diagnostic_schema() {
  return result(
      {{"severity", choice({"error", "warning"}, "")},
       {"code", text("Stable name of the kind of problem")},
       {"position", result(
                        {{"file", text("Whose line it is")},
                         {"line", number("From 1; 0 is unknown")},
                         {"column", number("From 1; 0 is unknown")},
                         {"end_line", number("Of what stands there; 0 is unknown")},
                         {"end_column", number("Behind its last character; 0 is unknown")}})},
       {"address", text("services.api.readiness")},
       {"message", text("What is wrong")},
       {"hint", text("The way out")}},
      {"severity", "message"});
}

Json plan_schema() {
  auto plan = result(
      {{"format_version", text("Readers reject another major version")},
       {"plan_id", text("For apply: only this")},
       {"actions", list_of(
                       result(
                           {{"address", text("environment.setup.deps, workspace, services.api")},
                            {"action", text("noop, build, restart, reset, …")}},
                           {"address", "action"}),
                       "In the order of execution")},
       {"needs_approval", flag("Something would be lost")},
       {"host_requests", host_requests_schema("What the file takes of this machine, as agreed")}},
      {"actions"});
  plan["description"] = "The plan document; docs/plans.md describes it";
  return plan;
}

Json parallel_schema() {
  auto schema = number("Services on their way up at once; default 10");
  schema["minimum"] = 1;
  return schema;
}

Properties with_choice(Properties properties) {
  properties.merge(choice_properties());
  return properties;
}

Operation validate_operation() {
  return {
      .name = "validate",
      .summary = "Check pyro.yaml without touching anything",
      .parameters_schema = workspace_parameters({}),
      .result_schema = result(
          {{"valid", flag("Can it be applied?")},
           {"name", or_null(text("As it was given or made"))},
           {"diagnostics", list_of(diagnostic_schema(), "Errors first")}},
          {"valid", "diagnostics"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::validate_project(declared_project(context, given));
      }};
}

Operation config_operation() {
  return {
      .name = "config",
      .summary = "The effective pyro.yaml: profile and variables applied, defaults filled in, secrets masked",
      .parameters_schema = workspace_parameters(
          {{"hash", flag("Digests instead: of each step, equal wherever the same would be built")}}),
      .result_schema = result({}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        if (bool_or(given, "hash", false)) {
          return workspace::hash_project(context.workspaces, declared_project(context, given));
        }
        return workspace::normalize_project(context.workspaces, declared_project(context, given));
      }};
}

Operation init_operation() {
  return {
      .name = "init",
      .summary = "Write a first pyro.yaml that suits the directory",
      .parameters_schema = project_parameters(
          {{"kind", choice(
                        {"cmake", "node", "python", "go", "rust", "static", "make", "generic"},
                        "Default: by the files that are there")}}),
      .result_schema = result(
          {{"file", text("The path that was written")},
           {"kind", text("As found or given")},
           {"name", text("Of the workspace")},
           {"test", text("The command that runs the project's tests; empty: none was found")}},
          {"file", "kind", "name", "test"}),
      .run = [](Context&, const Json& given) {
        return workspace::write_first_file(project_of(given), string_or(given, "kind", ""));
      }};
}

Operation plan_operation() {
  return {
      .name = "plan",
      .summary = "What apply would do, with reasons and what would be lost",
      .parameters_schema = workspace_parameters(with_choice({allow_host_compat()})),
      .result_schema =
          result({{"plan", plan_schema()}, {"text", text("The same for people")}}, {"plan", "text"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::plan_project(
            context.workspaces, declared_project(context, given), choice_of(given), context.color);
      }};
}

Operation apply_operation() {
  return {
      .name = "apply",
      .summary = "Make the workspace be as pyro.yaml says",
      .parameters_schema = workspace_parameters(with_choice(
          {{"approve",
            flag("Also do what loses something; without it such a plan fails with approval_needed")},
           allow_host_compat(),
           {"plan_id", text("From plan: do that or fail as stale")},
           {"wait", flag("Until the services are ready; default true")},
           {"cache", flag("Use cached layers; default true")},
           {"allow", list_of(text(""), "reset, replace: what may lose something, narrower than approve")},
           {"dry_run", dry_run_flag()},
           {"if_equivalent", flag("With plan_id: also where only the generation is another")},
           {"parallel", parallel_schema()},
           {"on",
            text("Where: here, slurm:PARTITION[,qos=NAME][,account=NAME]; default: where it is, else here")},
           {"timeout", text("For all of it, e.g. 10m; default none")}})),
      .result_schema = result(
          with_dry_run(
              {{"workspace_id", text("Of the workspace")},
               {"name", text("As it was given or made")},
               {"plan", plan_schema()},
               {"services", list_of(result({}), "As in status")},
               {"ports", published_ports_schema()},
               {"conflicts",
                list_of(
                    text(""), "With seed.on_change: sync, files that changed inside too: left as they are")},
               {"duration_ms", number("How long it took")}}),
          {"workspace_id", "changed"}),
      .destructive = true,
      .idempotent = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        if (given.contains("on")) { // fronts place it (node/placed_engine.hpp): this is the place
          throw Error(ErrorCode::unavailable, "a workspace is not placed from where it is applied");
        }
        return workspace::apply_declared_file(
            context.workspaces, declared_project(context, given), options_of(context, given), context.color);
      }};
}

Operation why_operation() {
  return {
      .name = "why",
      .summary = "Why the plan would do what it does at an address, or why a cached layer was not used",
      .parameters_schema = workspace_parameters(
          {allow_host_compat(), {"address", text("environment.setup.deps, services.api, workspace")}},
          {"address"}),
      .result_schema = result(
          {{"address", text("As in the plan")},
           {"action", text("As in the plan")},
           {"key", or_null(text("Of its layer in the cache"))},
           {"cached", flag("Is that layer there?")},
           {"verified", or_null(result(
                            {{"at", epoch("When verify built it twice")},
                             {"reproducible", flag("Was it the same?")},
                             {"differing", list_of(result({}), "The files that were not")}}))},
           {"reason", result({}, {})},
           {"chain", list_of(result({}), "From this action to what began it: address, action, reason")},
           {"differing", list_of(result({}), "Inputs that are not as they were applied, with file and line")},
           {"text", text("The answer for people")}},
          {"address", "text"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::explain_action(
            context.workspaces, declared_project(context, given), get_string(given, "address"));
      }};
}

Operation schema_operation() {
  return {
      .name = "schema",
      .summary = "The JSON Schema of pyro.yaml, for editors",
      .parameters_schema = parameters({}),
      .result_schema = result({}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context&, const Json&) {
        return workspace::file_schema();
      }};
}

Operation schema_install_operation() {
  return {
      .name = "schema_install",
      .summary = "Write the JSON Schema of pyro.yaml beside it, where its first line tells editors to look",
      .parameters_schema = project_parameters(
          {{"editor", choice({"vscode", "zed"}, "Also add it to this editor's settings of the directory")}}),
      .result_schema = result(
          {{"files", list_of(
                         result(
                             {{"path", text("Which one")}, {"changed", flag("False: it was so already")}},
                             {"path", "changed"}),
                         "That were written")}},
          {"files"}),
      .idempotent = true,
      .run = [](Context&, const Json& given) {
        return workspace::install_schema(project_of(given), string_or(given, "editor", ""));
      }};
}

Operation import_operation() {
  return {
      .name = "import_file",
      .summary = "Make a first pyro.yaml of a Compose file or a devcontainer.json",
      .parameters_schema = project_parameters(
          {{"kind", choice({"compose", "devcontainer"}, "")},
           {"source_path", text("The file that is read; it stays as it is")},
           {"force", flag("Overwrite a pyro.yaml that is there")}},
          {"kind", "source_path"}),
      .result_schema = result(
          {{"file", text("The path that was written")},
           {"source", text("The file that was read")},
           {"unmapped", list_of(
                            result(
                                {{"line", number("In source")},
                                 {"column", number("In source")},
                                 {"key", text("services.web.networks")},
                                 {"reason", text("Why, and what to do instead")},
                                 {"needed", flag("False: it works without")}},
                                {"line", "key", "reason", "needed"}),
                            "What was not taken over, in the order of the file")}},
          {"file", "unmapped"}),
      .destructive = true,
      .run = [](Context&, const Json& given) {
        const auto kind = get_string(given, "kind") == "compose" ? workspace::ImportedKind::compose
                                                                 : workspace::ImportedKind::devcontainer;
        return workspace::import_file(
            project_of(given), get_string(given, "source_path"), kind,
            bool_or(given, "force", false) ? workspace::Overwrite::yes : workspace::Overwrite::no);
      }};
}

Operation lock_operation() {
  return {
      .name = "lock",
      .summary = "Write pyro.lock: what the file's image is now",
      .parameters_schema = project_parameters({{"upgrade", flag("Also look up what is in it already")}}),
      .result_schema = result(
          {{"file", text("The lock")},
           {"changed", flag("Was it written?")},
           {"images", list_of(
                          result(
                              {{"image", text("Its full name")},
                               {"digest", text("What it stands for")},
                               {"before", text("In the lock until now; empty: it was not there")}},
                              {"image", "digest"}),
                          "Of this file; empty: nothing can be locked")},
           {"unlocked", list_of(
                            result(
                                {{"address", text("In the file: environment.setup.deps")},
                                 {"why", text("Why no digest stands for it")}},
                                {"address", "why"}),
                            "What may be other on another day or machine and is not in the lock")}},
          {"file", "changed", "images", "unlocked"}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::lock_project(
            context.workspaces, project_of(given),
            bool_or(given, "upgrade", false) ? workspace::LockWhat::all : workspace::LockWhat::missing);
      }};
}

} // namespace

Json host_requests_schema(std::string_view description) {
  return list_of(
      result(
          {{"kind", choice({"command", "environment", "path", "listen", "cache", "network", "registry"}, "")},
           {"what", text("The command, variable, absolute path, address or image")},
           {"needed", flag("False: without an agreement the image is fetched without accounts")},
           {"address", text("In the file: secrets.token")},
           {"position", result(
                            {{"file", text("Whose line it is")},
                             {"line", number("Counted from 1")},
                             {"column", number("Counted from 1")}})}},
          {"kind", "what", "address"}),
      description);
}

std::vector<Operation> file_operations() {
  return {init_operation(),  validate_operation(), config_operation(), plan_operation(),
          apply_operation(), why_operation(),      schema_operation(), schema_install_operation(),
          lock_operation(),  import_operation()};
}

} // namespace pyro::operations
