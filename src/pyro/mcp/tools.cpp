#include "tools.hpp"

#include "tool_schema.hpp"

#include <pyro/operations/guide.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pyro::mcp {

namespace {

/// Enough to make a workspace, work in it and go back; the rest is in the other profiles.
constexpr std::array<std::string_view, 11> k_core{"apply",
                                                  "plan",
                                                  "status",
                                                  "exec",
                                                  "diff",
                                                  "reset",
                                                  "undo",
                                                  "logs",
                                                  "snapshot_create",
                                                  "workspace_create",
                                                  "destroy"};

/// What concerns this machine more than a workspace.
constexpr std::array<std::string_view, 7> k_machine{"disk_usage", "env_",   "prune", "purge",
                                                    "schema",     "trust_", "vm_"};

bool is_in(Profile profile, std::string_view name) {
  switch (profile) {
  case Profile::core:
    return std::find(k_core.begin(), k_core.end(), name) != k_core.end();
  case Profile::workspace:
    return std::none_of(k_machine.begin(), k_machine.end(), [&](std::string_view prefix) {
      return name.starts_with(prefix);
    });
  case Profile::full:
    break;
  }
  return true;
}

bool has_parameter(const operations::Operation& operation, const char* name) {
  const auto properties = operation.parameters_schema.find("properties");
  return properties != operation.parameters_schema.end() && properties->contains(name);
}

Json annotations_of(const operations::Operation& operation) {
  const bool reaches_out = operation.name.starts_with("env_") || operation.name == "snapshot_push"
                           || operation.name == "snapshot_import" || operation.name == "apply"
                           || operation.name == "lock";
  return {
      {"readOnlyHint", operation.read_only},
      {"destructiveHint", operation.destructive},
      {"idempotentHint", operation.idempotent},
      {"openWorldHint", reaches_out}};
}

Json call_wait_definition() {
  return {
      {"name", k_call_wait},
      {"description", "Wait for the result of a call that was answered with \"pending\", or cancel it."},
      {"inputSchema",
       {{"type", "object"},
        {"properties",
         {{"call_id", {{"type", "string"}, {"description", "From \"pending\""}}},
          {"cancel", {{"type", "boolean"}, {"description", "End the call instead of waiting"}}}}},
        {"required", {"call_id"}},
        {"additionalProperties", false}}},
      {"outputSchema", {{"type", "object"}}},
      {"annotations",
       {{"readOnlyHint", false},
        {"destructiveHint", false},
        {"idempotentHint", true},
        {"openWorldHint", false}}}};
}

} // namespace

std::optional<Profile> profile_of(std::string_view name) {
  if (name == "core") {
    return Profile::core;
  }
  if (name == "workspace") {
    return Profile::workspace;
  }
  return name == "full" ? std::optional(Profile::full) : std::nullopt;
}

Tools::Tools(const ToolChoice& choice) : m_choice(choice) {
  const auto detail = choice.profile == Profile::core ? Detail::brief : Detail::whole;
  for (const auto& operation : operations::operations()) {
    if (!is_in(choice.profile, operation.name) || (choice.read_only && !operation.read_only)) {
      continue;
    }
    m_names.push_back(operation.name);
    m_definitions.push_back(
        {{"name", operation.name},
         {"description", fmt::format("{}. {}", operation.summary, operations::guide_of(operation.name))},
         {"inputSchema", input_schema(operation, detail)},
         {"outputSchema", output_schema(operation, detail)},
         {"annotations", annotations_of(operation)}});
  }
  m_names.emplace_back(k_call_wait);
  m_definitions.push_back(call_wait_definition());
}

bool Tools::has(std::string_view name) const {
  return std::find(m_names.begin(), m_names.end(), name) != m_names.end();
}

std::string Tools::unknown(std::string_view name) const {
  auto text = "there is no tool '" + std::string(name) + "'";
  if (const auto near = operations::nearest(name, m_names); !near.empty()) {
    return text + "; did you mean '" + near + "'?";
  }
  const auto& all = operations::operations();
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const auto& operation) { return operation.name == name; });
  if (known == all.end()) {
    return text;
  }
  return text
         + (m_choice.read_only && !known->read_only
                ? ": this server is read-only"
                : " in this profile: start the server with --profile full");
}

Json Tools::parameters_for(std::string_view name, Json arguments) const {
  if (!m_choice.project_path.empty() && has_parameter(operations::find_operation(name), "directory")
      && !arguments.contains("directory")) {
    arguments["directory"] = m_choice.project_path;
  }
  return arguments;
}

} // namespace pyro::mcp
