#include "schema_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project_search.hpp>
#include <pyro/workspace/declared_file.hpp>

namespace pyro::operations {

namespace {

Json of_type(const char* type, std::string_view description) {
  Json schema{{"type", type}};
  if (!description.empty()) {
    schema["description"] = description;
  }
  return schema;
}

Json object(const Properties& properties, const std::vector<std::string>& required) {
  Json schema{{"type", "object"}, {"properties", Json(properties)}};
  if (!required.empty()) {
    schema["required"] = required;
  }
  return schema;
}

} // namespace

Json text(std::string_view description) {
  return of_type("string", description);
}

Json number(std::string_view description) {
  auto schema = of_type("integer", description);
  schema["minimum"] = 0;
  return schema;
}

Json decimal(std::string_view description) {
  auto schema = of_type("number", description);
  schema["minimum"] = 0;
  return schema;
}

Json epoch(std::string_view description) {
  return of_type(
      "number", description.empty() ? "Seconds since the epoch"
                                    : fmt::format("{}; seconds since the epoch", description));
}

Json flag(std::string_view description) {
  return of_type("boolean", description);
}

Json choice(std::initializer_list<const char*> values, std::string_view description) {
  auto schema = of_type("string", description);
  schema["enum"] = values;
  return schema;
}

Json list_of(Json items, std::string_view description) {
  auto schema = of_type("array", description);
  schema["items"] = std::move(items);
  return schema;
}

Json map_of_text(std::string_view description) {
  auto schema = of_type("object", description);
  schema["additionalProperties"] = {{"type", "string"}};
  return schema;
}

Json causes_schema() {
  return list_of(
      result(
          {{"cause", choice(k_causes, "Who changed them, as far as it can be told")},
           {"text", text("The same for people: by apt, by build tools")},
           {"count", number("How many it changed")},
           {"paths", list_of(text(""), "The first of them")}},
          {"cause", "text", "count"}),
      "The changes by who made them, the most first");
}

Json or_null(Json schema) {
  schema["type"] = Json::array({schema["type"], "null"});
  return schema;
}

Json parameters(const Properties& properties, const std::vector<std::string>& required) {
  auto schema = object(properties, required);
  schema["additionalProperties"] = false;
  return schema;
}

Json project_parameters(Properties properties, const std::vector<std::string>& required) {
  properties["directory"] = text("Of pyro.yaml; default: here or above");
  properties["file"] = text("Its name, relative to directory; default: pyro.yaml");
  properties["profile"] = text("The profile to lay over it");
  properties["vars"] = map_of_text("Values of declared variables");
  properties["var_file"] = text("A file with NAME: value of those");
  properties["set"] = list_of(text(""), "Fields over the file: services.api.env.PORT=8081");
  return parameters(properties, required);
}

std::pair<const std::string, Json> allow_host_compat() {
  return {"allow_host_compat", flag("Agree to a file that asks for no isolation; default no")};
}

Json workspace_parameters(Properties properties, const std::vector<std::string>& required) {
  properties["workspace"] = text("Name, id or id prefix; default: that of directory");
  return project_parameters(std::move(properties), required);
}

Json id_parameters(Properties properties, std::vector<std::string> required) {
  properties["workspace_id"] = text("An id, a unique id prefix or a name");
  required.emplace_back("workspace_id");
  return parameters(properties, required);
}

Json any_workspace_parameters(Properties properties, const std::vector<std::string>& required) {
  properties["workspace_id"] = text("An id, a unique id prefix or a name; same as workspace");
  return workspace_parameters(std::move(properties), required);
}

Json result(const Properties& properties, const std::vector<std::string>& required) {
  return object(properties, required);
}

Json with_directory(const Context& context, Json parameters) {
  for (const auto* key : {"directory", "file", "workspace", "workspace_id"}) {
    if (parameters.contains(key)) {
      return parameters;
    }
  }
  if (const auto directory = workspace::project_directory_above()) {
    context.workspaces.emit("note", "", fmt::format("using {}/pyro.yaml", *directory));
    parameters["directory"] = *directory;
  }
  return parameters;
}

workspace::Project project_of(const Json& parameters) {
  workspace::Project project;
  project.directory = string_or(parameters, "directory", project.directory);
  project.file = string_or(parameters, "file", project.file);
  project.profile = string_or(parameters, "profile", "");
  project.vars = string_map_or_empty(parameters, "vars");
  project.var_file = string_or(parameters, "var_file", "");
  project.sets = strings_or_empty(parameters, "set");
  project.allow_host_compat = bool_or(parameters, "allow_host_compat", false);
  return project;
}

workspace::Project declared_project(const Context& context, const Json& parameters) {
  return workspace::file_of_workspace(context.workspaces, workspace_of(parameters), project_of(parameters));
}

std::string workspace_of(const Json& parameters) {
  if (!parameters.contains("workspace_id")) {
    return string_or(parameters, "workspace", "");
  }
  if (parameters.contains("workspace")) {
    throw Error(ErrorCode::invalid_argument, "give either workspace_id or workspace");
  }
  return id_of(parameters);
}

std::string id_of(const Json& parameters) {
  auto id = get_string(parameters, "workspace_id");
  if (id.empty()) {
    throw Error(ErrorCode::invalid_argument, "workspace_id must not be empty");
  }
  return id;
}

Properties choice_properties() {
  return {
      {"target", list_of(text(""), "Only these addresses and what they need")},
      {"exclude", list_of(text(""), "Not these addresses, nor what needs them")},
      {"replace", list_of(text(""), "Make these anew though nothing changed")},
      {"refresh", flag("Look for files changed inside; default true")},
      {"memory", flag("Keep the memory of snapshots; default true")},
      {"policy", text("A file of rules that the plan must not break")}};
}

workspace::PlanChoice choice_of(const Json& parameters) {
  workspace::PlanChoice choice;
  choice.targets = strings_or_empty(parameters, "target");
  choice.excludes = strings_or_empty(parameters, "exclude");
  choice.replaces = strings_or_empty(parameters, "replace");
  choice.refresh = bool_or(parameters, "refresh", true);
  choice.memory = bool_or(parameters, "memory", true);
  choice.policy = string_or(parameters, "policy", "");
  return choice;
}

Json dry_run_flag() {
  return flag("Say what would be done, and do nothing");
}

Properties with_dry_run(Properties of_result) {
  of_result.emplace("changed", flag("Was anything done?"));
  of_result.insert(
      {{"dry_run", flag("Was this only said?")},
       {"would_change", flag("With dry_run: is there anything to do?")},
       {"plan", result({})},
       {"text", text("The plan for people")}});
  return of_result;
}

DryRun dry_run_of(const Json& parameters) {
  return bool_or(parameters, "dry_run", false) ? DryRun::yes : DryRun::no;
}

workspace::ApplyOptions options_of(const Context& context, const Json& parameters) {
  workspace::ApplyOptions options;
  options.choice = choice_of(parameters);
  for (const auto& kind : strings_or_empty(parameters, "allow")) {
    if (kind != "reset" && kind != "replace" && kind != "destroy") {
      throw Error(ErrorCode::invalid_argument, "'{}' cannot be allowed by name", kind)
          .with_hint("reset, replace and destroy can");
    }
    options.allowed.insert(kind);
  }
  options.dry_run = bool_or(parameters, "dry_run", false);
  options.if_equivalent = bool_or(parameters, "if_equivalent", false);
  options.parallel = static_cast<int>(int_or(parameters, "parallel", options.parallel));
  if (options.if_equivalent && !maybe_string(parameters, "plan_id")) {
    throw Error(ErrorCode::invalid_argument, "if_equivalent is about a plan: it needs plan_id");
  }
  options.approve_all = bool_or(parameters, "approve", false);
  options.ask = context.ask;
  options.wait = bool_or(parameters, "wait", true);
  options.use_cache = bool_or(parameters, "cache", true);
  options.plan_id = string_or(parameters, "plan_id", "");
  if (!options.plan_id.empty() && !options.use_cache) {
    throw Error(ErrorCode::invalid_argument, "plan_id and cache: a plan is made with the cache")
        .with_hint("leave one of them out");
  }
  return options;
}

std::chrono::milliseconds duration_of(const Json& parameters, std::string_view key) {
  const auto text = maybe_string(parameters, key);
  return text && !text->empty() ? parse_duration(*text) : std::chrono::milliseconds{0};
}

} // namespace pyro::operations
