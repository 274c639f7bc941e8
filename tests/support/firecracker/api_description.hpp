// Firecracker's own description of its API (tests/data/firecracker/api.yaml, Swagger 2.0), read once: which
// call a method and path are, and what its body must look like.
#pragma once

#include <pyro/base/json_access.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::testing::firecracker {

using Json = nlohmann::json;

struct Operation {
  std::string id;                                 // "putGuestDriveByID"
  std::map<std::string, std::string> path_values; // {"drive_id", "root"}
  Json body_schema;                               // null: takes no body
  bool body_required = false;
  std::map<int, Json> answers; // status to schema (null: no body); 0 is "default"
};

class ApiDescription {
public:
  /// Throws std::runtime_error for a text that is not such a description.
  explicit ApiDescription(const std::string& yaml);
  /// The one in the repository, compiled in: the fake may run in a jail.
  static const ApiDescription& official();

  /// nullopt: there is no such path; operation without id: there is, but not this method.
  std::optional<Operation> find(const std::string& method, const std::string& path) const;
  std::vector<std::string> operation_ids() const;
  std::string version() const;

  /// Every way in which the value is not what the schema says, each with the place ("/drives/0/path").
  /// Objects may have the properties that are described and no others.
  std::vector<std::string> violations(const Json& schema, const Json& value) const;

private:
  Json m_document;
};

} // namespace pyro::testing::firecracker
