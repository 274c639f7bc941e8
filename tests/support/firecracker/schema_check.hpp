// The part of Swagger 2.0's schemas that Firecracker's description uses. A keyword that this does not know is
// an error: nothing is let through because it was not understood.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>
#include <vector>

namespace pyro::testing::firecracker {

class SchemaCheck {
public:
  /// What "#/definitions/NAME" refers to.
  explicit SchemaCheck(const nlohmann::json& definitions) : m_definitions(definitions) {}

  std::vector<std::string> violations(const nlohmann::json& schema, const nlohmann::json& value);

private:
  void check(const nlohmann::json& schema, const nlohmann::json& value, const std::string& place);
  void check_object(const nlohmann::json& schema, const nlohmann::json& value, const std::string& place);
  void check_number(const nlohmann::json& schema, const nlohmann::json& value, const std::string& place);
  void check_text(const nlohmann::json& schema, const nlohmann::json& value, const std::string& place);
  void complain(const std::string& place, const std::string& what);

  const nlohmann::json& m_definitions;
  std::vector<std::string> m_violations;
};

} // namespace pyro::testing::firecracker
