#include "schema.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <array>
#include <charconv>

namespace pyro::spec {

namespace {

constexpr auto k_interpolation = R"(\$\{)";
constexpr auto k_name = "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$";
constexpr auto k_variable = "^[A-Za-z_][A-Za-z0-9_]*$";
constexpr auto k_port =
    "(0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))";
constexpr auto k_something = R"(\S)";

Json text() {
  return {{"type", "string"}};
}

Json pattern(const char* expression) {
  return {{"type", "string"}, {"pattern", expression}};
}

/// The value itself, or a text like `expression`: quotes change nothing.
Json or_text(Json value, const char* expression) {
  return {{"anyOf", Json::array({std::move(value), pattern(expression)})}};
}

/// The value itself, or a text that ${…} makes into one.
Json or_interpolated(Json value) {
  return or_text(std::move(value), k_interpolation);
}

Json port_number() {
  return {{"type", "integer"}, {"minimum", 1}, {"maximum", 65535}};
}

Json boolean() {
  return or_text({{"type", "boolean"}}, R"(^(true|false)$|\$\{)");
}

/// Whatever is written as a single value: the field reads its text.
Json scalar() {
  return {{"type", Json::array({"string", "number", "boolean"})}};
}

/// The same, with more than blanks in it.
Json some_text() {
  auto value = scalar();
  value["pattern"] = k_something;
  return value;
}

Json list_of(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

Json map_of(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

Json reference(std::string_view name) {
  return {{"$ref", "#/$defs/" + std::string(name)}};
}

/// A map whose keys are names like `expression`.
Json map_of(Json values, const char* expression) {
  auto map = map_of(std::move(values));
  map["propertyNames"] = {{"pattern", expression}};
  return map;
}

Json integer(std::string_view range) {
  const auto dots = range.find("..");
  return or_text(
      {{"type", "integer"},
       {"minimum", std::stoll(std::string(range.substr(0, dots)))},
       {"maximum", std::stoll(std::string(range.substr(dots + 2)))}},
      R"(^(0|[1-9][0-9]*)$|\$\{)");
}

Json enumeration(std::string_view values) {
  Json names = Json::array();
  for (const auto& name : fields_of(values, '|')) {
    if (name == "true" || name == "false") {
      names.push_back(name == "true");
    } else {
      names.push_back(name);
    }
  }
  return or_interpolated({{"enum", names}});
}

Json simple_type(std::string_view type) {
  if (type == "string" || type == "env") {
    return scalar();
  }
  if (type == "text") {
    return some_text();
  }
  if (type == "name") {
    return or_interpolated(pattern(k_name));
  }
  if (type == "bool") {
    return boolean();
  }
  if (type == "duration") {
    return or_interpolated(pattern("^[0-9]+(ms|s|m|h|d)$"));
  }
  if (type == "size") {
    return or_interpolated(pattern("^0*[1-9][0-9]*([KMGT]iB|B)$"));
  }
  if (type == "directory") {
    return or_interpolated(pattern("^/"));
  }
  if (type == "cache") {
    return {{"anyOf", Json::array({pattern("^/"), pattern(k_interpolation), reference("cache")})}};
  }
  if (type == "git") {
    return {{"anyOf", Json::array({enumeration("tracked|tracked+untracked|all"), reference("git")})}};
  }
  if (type == "user") {
    return or_text({{"type", "integer"}}, R"(^\S+$|\$\{)");
  }
  if (type == "tcp") {
    return or_text(port_number(), fmt::format(R"(^(.*:)?{}$|\$\{{)", k_port).c_str());
  }
  if (type == "port") {
    return or_text(port_number(), fmt::format(R"(^(([0-9.]+:)?{0}:)?{0}$|\$\{{)", k_port).c_str());
  }
  if (type == "command") {
    auto list = list_of(scalar());
    list["minItems"] = 1;
    return {{"anyOf", Json::array({pattern(k_something), std::move(list)})}};
  }
  if (type == "status") {
    const auto one = or_text(integer("100..599"), R"(^[0-9]{3}(-[0-9]{3})?$|\$\{)");
    return {{"anyOf", Json::array({one, list_of(one)})}};
  }
  if (type == "egress") {
    return {{"anyOf", Json::array({enumeration("none|all"), list_of(text())})}};
  }
  if (type == "oneshot") {
    return {{"anyOf", Json::array({boolean(), reference("oneshot")})}};
  }
  if (type == "depends_on") {
    return {{"anyOf", Json::array({list_of(text()), map_of(reference("dependency"))})}};
  }
  if (type == "profile") {
    return {{"type", "object"}};
  }
  if (type == "input") {
    return pattern(R"(^(?!/)(?!(.*/)?\.\.(/|$)))");
  }
  if (type == "env_name" || type == "signal") {
    return text();
  }
  throw Error(ErrorCode::internal, "the table of pyro.yaml has an unknown type '{}'", type);
}

Json schema_of(std::string_view type) {
  const auto space = type.find(' ');
  const auto word = type.substr(0, space);
  const auto rest = space == std::string_view::npos ? std::string_view{} : type.substr(space + 1);
  if (word == "list") {
    return list_of(schema_of(rest));
  }
  if (word == "map") {
    if (rest == "env") {
      return map_of(schema_of(rest), k_variable);
    }
    return rest.starts_with("shape ") ? map_of(schema_of(rest), k_name) : map_of(schema_of(rest));
  }
  if (word == "shape") {
    return reference(rest);
  }
  if (word == "int") {
    return integer(rest);
  }
  return word == "enum" ? enumeration(rest) : simple_type(type);
}

Json example_of(const Field& field) {
  const bool is_text = field.example.front() != '[' && field.example.front() != '{';
  return is_text ? Json(field.example) : parse_json(field.example, "the table of pyro.yaml");
}

Json schema_of(const Shape& shape) {
  Json properties = Json::object();
  Json needed = Json::array();
  for (const auto& field : shape.fields) {
    Json value = schema_of(field.type);
    value["description"] = field.default_text.empty()
                               ? std::string(field.help)
                               : fmt::format("{}. Default: {}", field.help, field.default_text);
    if (!field.example.empty()) {
      value["examples"] = Json::array({example_of(field)});
    }
    properties[std::string(field.key)] = std::move(value);
    if (field.presence == Presence::required) {
      needed.push_back(field.key);
    }
  }
  Json result = {
      {"type", "object"},
      {"properties", std::move(properties)},
      {"patternProperties", {{"^x-", true}}},
      {"additionalProperties", false}};
  if (!needed.empty()) {
    result["required"] = std::move(needed);
  }
  for (const auto& way : fields_of(shape.exactly_one_of, '|')) {
    if (!way.empty()) {
      result["oneOf"].push_back({{"required", Json::array({way})}});
    }
  }
  return result;
}

} // namespace

Json json_schema() {
  Json result = schema_of(shape("root"));
  result["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  result["title"] = "pyro.yaml, version 1";
  for (const auto& part : shapes()) {
    if (part.name != "root") {
      result["$defs"][std::string(part.name)] = schema_of(part);
    }
  }
  return result;
}

} // namespace pyro::spec
