#include "tool_schema.hpp"

#include <array>
#include <string_view>

namespace pyro::mcp {

namespace {

/// Parameters that a small list leaves out; they are taken all the same.
constexpr std::array<std::string_view, 23> k_seldom{
    "file",    "profile",  "vars",          "var_file",          "set",     "secrets", "egress_hosts",
    "labels",  "target",   "exclude",       "replace",           "refresh", "memory",  "policy",
    "dry_run", "parallel", "if_equivalent", "allow_host_compat", "allow",   "failed",  "user",
    "drift",   "on"};

Json pending_schema() {
  return {
      {"type", "object"},
      {"description", "It is not done yet: call_wait with this call_id goes on"},
      {"properties", {{"call_id", {{"type", "string"}}}, {"operation", {{"type", "string"}}}}}};
}

/// The type alone.
Json bare(const Json& schema) {
  return schema.contains("type") ? Json{{"type", schema.at("type")}} : Json::object();
}

} // namespace

Json input_schema(const operations::Operation& operation, Detail detail) {
  auto schema = operation.parameters_schema;
  if (detail == Detail::brief && schema.contains("properties")) {
    for (const auto name : k_seldom) {
      schema["properties"].erase(std::string(name));
    }
    schema.erase("additionalProperties");
  }
  return schema;
}

Json output_schema(const operations::Operation& operation, Detail detail) {
  auto schema = operation.result_schema;
  schema.erase("required");
  if (!schema.contains("properties")) {
    schema["properties"] = Json::object();
  }
  if (detail == Detail::brief) {
    auto few = Json::object();
    for (const auto& name : strings_or_empty(operation.result_schema, "required")) {
      few[name] = bare(schema["properties"].at(name));
    }
    schema["properties"] = std::move(few);
  } else {
    schema["properties"]["pending"] = pending_schema();
  }
  return schema;
}

} // namespace pyro::mcp
