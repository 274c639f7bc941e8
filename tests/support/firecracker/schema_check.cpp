#include "schema_check.hpp"

#include <limits>
#include <regex>
#include <set>
#include <stdexcept>

namespace pyro::testing::firecracker {

using nlohmann::json;

namespace {

void require_known(const json& schema) {
  static const std::set<std::string> known{
      "$ref",    "type",    "properties", "required", "items",    "enum",        "minimum",
      "maximum", "default", "format",     "example",  "readOnly", "description", "additionalProperties"};
  for (const auto& [keyword, value] : schema.items()) {
    if (!known.contains(keyword)) {
      throw std::runtime_error("the schema has the keyword '" + keyword + "', which is not understood");
    }
  }
}

const char* type_of(const json& value) {
  switch (value.type()) {
  case json::value_t::object:
    return "object";
  case json::value_t::array:
    return "array";
  case json::value_t::string:
    return "string";
  case json::value_t::boolean:
    return "boolean";
  case json::value_t::number_integer:
  case json::value_t::number_unsigned:
    return "integer";
  case json::value_t::number_float:
    return "number";
  default:
    return "null";
  }
}

} // namespace

std::vector<std::string> SchemaCheck::violations(const json& schema, const json& value) {
  m_violations.clear();
  check(schema, value, "");
  return m_violations;
}

void SchemaCheck::complain(const std::string& place, const std::string& what) {
  m_violations.push_back((place.empty() ? "/" : place) + ": " + what);
}

void SchemaCheck::check(const json& schema, const json& value, const std::string& place) {
  require_known(schema);
  if (schema.contains("$ref")) {
    static const std::string prefix = "#/definitions/";
    const std::string reference = schema.at("$ref");
    if (!reference.starts_with(prefix) || !m_definitions.contains(reference.substr(prefix.size()))) {
      throw std::runtime_error("the schema refers to '" + reference + "', which is not there");
    }
    return check(m_definitions.at(reference.substr(prefix.size())), value, place);
  }
  const std::string type = schema.at("type");
  if (type != type_of(value)) {
    return complain(place, "is " + std::string(type_of(value)) + ", must be " + type);
  }
  if (type == "object") {
    check_object(schema, value, place);
  } else if (type == "array") {
    for (std::size_t index = 0; index < value.size(); ++index) {
      check(schema.at("items"), value[index], place + "/" + std::to_string(index));
    }
  } else if (type == "integer") {
    check_number(schema, value, place);
  } else if (type == "string") {
    check_text(schema, value, place);
  } else if (type != "boolean") {
    throw std::runtime_error("the schema has the type '" + type + "', which is not understood");
  }
}

void SchemaCheck::check_object(const json& schema, const json& value, const std::string& place) {
  for (const auto& name : schema.value("required", json::array())) {
    if (!value.contains(name.get<std::string>())) {
      complain(place, "lacks the required field '" + name.get<std::string>() + "'");
    }
  }
  const auto properties = schema.value("properties", json::object());
  const auto others = schema.value("additionalProperties", json(false));
  for (const auto& [name, field] : value.items()) {
    if (properties.contains(name)) {
      check(properties.at(name), field, place + "/" + name);
    } else if (others.is_object()) {
      check(others, field, place + "/" + name);
    } else if (others == false) {
      complain(place, "has the unknown field '" + name + "'");
    }
  }
}

void SchemaCheck::check_number(const json& schema, const json& value, const std::string& place) {
  const bool huge =
      value.is_number_unsigned()
      && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = huge ? std::numeric_limits<std::int64_t>::max() : value.get<std::int64_t>();
  auto least = schema.value("minimum", std::numeric_limits<std::int64_t>::min());
  auto most = schema.value("maximum", std::numeric_limits<std::int64_t>::max());
  const auto format = schema.value("format", "int64");
  if (format == "int32") {
    least = std::max<std::int64_t>(least, std::numeric_limits<std::int32_t>::min());
    most = std::min<std::int64_t>(most, std::numeric_limits<std::int32_t>::max());
  } else if (format != "int64") {
    throw std::runtime_error("the schema has the format '" + format + "', which is not understood");
  }
  if (huge || number < least || number > most) {
    complain(
        place, value.dump() + " is not between " + std::to_string(least) + " and " + std::to_string(most));
  }
}

void SchemaCheck::check_text(const json& schema, const json& value, const std::string& place) {
  const std::string text = value;
  // A scalar of the description that looks like a number ("2M" does not) is still meant as text.
  if (const auto allowed = schema.find("enum"); allowed != schema.end()) {
    const bool found = std::any_of(allowed->begin(), allowed->end(), [&](const json& one) {
      return one.is_string() ? one == text : one.dump() == text;
    });
    if (!found) {
      complain(place, "'" + text + "' is none of " + allowed->dump());
    }
  }
  // The one format of texts in there is a regular expression.
  if (schema.contains("format")
      && !std::regex_match(text, std::regex(schema.at("format").get<std::string>()))) {
    complain(place, "'" + text + "' has not the form " + schema.at("format").get<std::string>());
  }
}

} // namespace pyro::testing::firecracker
