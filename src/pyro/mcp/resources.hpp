// What a client may read by its address: the state of workspaces, and the file with its schema.
#pragma once

#include <pyro/base/json_access.hpp>

#include <optional>
#include <string>

namespace pyro::mcp {

/// As resources/list and resources/templates/list answer.
Json resource_list();
Json resource_template_list();

/// Which operation gives the content of an address.
struct ResourceRead {
  std::string operation;
  Json parameters;
};

/// nullopt: no such resource.
std::optional<ResourceRead> read_of_resource(const std::string& uri, const std::string& project_path);

} // namespace pyro::mcp
