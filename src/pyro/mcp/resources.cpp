#include "resources.hpp"

#include <array>
#include <string_view>

namespace pyro::mcp {

namespace {

constexpr std::string_view k_workspace = "pyro://workspace/";

struct Part {
  const char* name;
  const char* operation;
  const char* description;
};

constexpr std::array k_parts{
    Part{"status", "workspace_status", "State, services with readiness, snapshots, limits, last error"},
    Part{"diff", "workspace_diff", "What is different in /workspace since it was created"},
    Part{"logs", "workspace_logs", "The commands that were run in it, with their output"},
    Part{"summary", "workspace_summary", "What was done in it and what it holds"}};

Json resource(const char* uri, const char* name, const char* description) {
  return {{"uri", uri}, {"name", name}, {"description", description}, {"mimeType", "application/json"}};
}

} // namespace

Json resource_list() {
  return Json::array(
      {resource("pyro://workspaces", "workspaces", "All workspaces of this user"),
       resource("pyro://project", "pyro.yaml", "The effective pyro.yaml of the project, secrets masked"),
       resource("pyro://schema", "pyro.yaml schema", "The JSON Schema of pyro.yaml")});
}

Json resource_template_list() {
  auto list = Json::array();
  for (const auto& part : k_parts) {
    list.push_back(
        {{"uriTemplate", std::string(k_workspace) + "{workspace_id}/" + part.name},
         {"name", std::string("workspace ") + part.name},
         {"description", part.description},
         {"mimeType", "application/json"}});
  }
  return list;
}

std::optional<ResourceRead> read_of_resource(const std::string& uri, const std::string& project_path) {
  if (uri == "pyro://workspaces") {
    return ResourceRead{"workspace_list", Json::object()};
  }
  if (uri == "pyro://schema") {
    return ResourceRead{"schema", Json::object()};
  }
  if (uri == "pyro://project") {
    auto where = Json::object();
    if (!project_path.empty()) {
      where["directory"] = project_path;
    }
    return ResourceRead{"config", where};
  }
  if (!uri.starts_with(k_workspace)) {
    return std::nullopt;
  }
  const auto rest = uri.substr(k_workspace.size());
  const auto slash = rest.find('/');
  for (const auto& part : k_parts) {
    if (slash != std::string::npos && slash > 0 && rest.substr(slash + 1) == part.name) {
      return ResourceRead{part.operation, {{"workspace_id", rest.substr(0, slash)}}};
    }
  }
  return std::nullopt;
}

} // namespace pyro::mcp
