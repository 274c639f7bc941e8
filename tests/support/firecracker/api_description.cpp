#include "api_description.hpp"

#include "schema_check.hpp"

#include <yaml-cpp/yaml.h>

#include <stdexcept>

extern "C" {
extern const char g_firecracker_api_yaml[];
extern const char g_firecracker_api_yaml_end[];
}

__asm__(".section .rodata\n"
        ".global g_firecracker_api_yaml\n"
        "g_firecracker_api_yaml:\n"
        ".incbin \"" PYRO_FIRECRACKER_API "\"\n"
        ".global g_firecracker_api_yaml_end\n"
        "g_firecracker_api_yaml_end:\n"
        ".byte 0\n"
        ".previous\n");

namespace pyro::testing::firecracker {

namespace {

Json scalar_from(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") { // was quoted
    return text;
  }
  bool truth = false;
  if (YAML::convert<bool>::decode(node, truth) && (text == "true" || text == "false")) {
    return truth;
  }
  std::int64_t number = 0;
  if (YAML::convert<std::int64_t>::decode(node, number)) {
    return number;
  }
  return text;
}

Json json_from(const YAML::Node& node) {
  switch (node.Type()) {
  case YAML::NodeType::Map: {
    Json object = Json::object();
    for (const auto& entry : node) {
      object[entry.first.Scalar()] = json_from(entry.second);
    }
    return object;
  }
  case YAML::NodeType::Sequence: {
    Json array = Json::array();
    for (const auto& element : node) {
      array.push_back(json_from(element));
    }
    return array;
  }
  case YAML::NodeType::Scalar:
    return scalar_from(node);
  default:
    return nullptr;
  }
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t start = 1;
  while (start <= path.size()) {
    const auto end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// The values of {name} parts; nullopt: another path.
std::optional<std::map<std::string, std::string>> match(const std::string& pattern, const std::string& path) {
  const auto wanted = parts_of(pattern);
  const auto given = parts_of(path);
  if (wanted.size() != given.size()) {
    return std::nullopt;
  }
  std::map<std::string, std::string> values;
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    if (wanted[index].starts_with("{") && !given[index].empty()) {
      values[wanted[index].substr(1, wanted[index].size() - 2)] = given[index];
    } else if (wanted[index] != given[index]) {
      return std::nullopt;
    }
  }
  return values;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return text;
}

Operation operation_from(const Json& described) {
  Operation operation;
  operation.id = described.at("operationId");
  for (const auto& parameter : described.value("parameters", Json::array())) {
    if (parameter.at("in") == "body") {
      operation.body_schema = parameter.at("schema");
      operation.body_required = parameter.value("required", false);
    }
  }
  for (const auto& [status, answer] : described.at("responses").items()) {
    operation.answers[status == "default" ? 0 : std::stoi(status)] = answer.value("schema", Json());
  }
  return operation;
}

} // namespace

ApiDescription::ApiDescription(const std::string& yaml) : m_document(json_from(YAML::Load(yaml))) {
  if (m_document.value("swagger", "") != "2.0" || !m_document.contains("definitions")) {
    throw std::runtime_error("this is no Swagger 2.0 description");
  }
}

const ApiDescription& ApiDescription::official() {
  static const ApiDescription description(
      std::string(g_firecracker_api_yaml, g_firecracker_api_yaml_end - g_firecracker_api_yaml));
  return description;
}

std::optional<Operation> ApiDescription::find(const std::string& method, const std::string& path) const {
  for (const auto& [pattern, methods] : m_document.at("paths").items()) {
    if (auto values = match(pattern, path)) {
      const auto described = methods.find(lower(method));
      Operation operation = described == methods.end() ? Operation{} : operation_from(*described);
      operation.path_values = std::move(*values);
      return operation;
    }
  }
  return std::nullopt;
}

std::vector<std::string> ApiDescription::operation_ids() const {
  std::vector<std::string> ids;
  for (const auto& methods : m_document.at("paths")) {
    for (const auto& described : methods) {
      ids.push_back(described.at("operationId"));
    }
  }
  return ids;
}

std::string ApiDescription::version() const {
  return m_document.at("info").at("version");
}

std::vector<std::string> ApiDescription::violations(const Json& schema, const Json& value) const {
  return SchemaCheck(m_document.at("definitions")).violations(schema, value);
}

} // namespace pyro::testing::firecracker
