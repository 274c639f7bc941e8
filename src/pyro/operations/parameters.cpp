#include "parameters.hpp"

#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <array>

namespace pyro::operations {

namespace {

constexpr std::array k_known_keys{
    "type",  "enum",        "minimum", "required", "properties", "additionalProperties",
    "items", "description", "default", "title"};

struct Finding {
  std::string message;
  std::string hint;
};

std::string quoted(const std::string& path) {
  return path.empty() ? "the parameters" : fmt::format("'{}'", path);
}

std::string joined(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string_view type_name(const Json& value) {
  switch (value.type()) {
  case Json::value_t::number_integer:
  case Json::value_t::number_unsigned:
    return "integer";
  case Json::value_t::number_float:
    return "number";
  case Json::value_t::discarded:
  case Json::value_t::binary:
    return "nothing JSON has";
  default:
    return value.type_name();
  }
}

std::string with_article(std::string_view type) {
  if (type == "null") {
    return "null";
  }
  const bool vowel = type.starts_with('a') || type.starts_with('i') || type.starts_with('o');
  return fmt::format("{} {}", vowel ? "an" : "a", type);
}

bool has_type(const Json& value, const std::string& type) {
  const auto is = type_name(value);
  return is == type || (type == "number" && is == "integer");
}

std::optional<Finding> check(const Json& schema, const Json& value, const std::string& path);

std::optional<Finding> check_type(const Json& schema, const Json& value, const std::string& path) {
  if (!schema.contains("type")) {
    return std::nullopt;
  }
  const auto& type = schema["type"];
  const Json wanted = type.is_array() ? type : Json::array({type});
  std::string text;
  for (const auto& one : wanted) {
    if (has_type(value, one.get<std::string>())) {
      return std::nullopt;
    }
    text += (text.empty() ? "" : " or ") + with_article(one.get<std::string>());
  }
  return Finding{
      fmt::format("{} must be {}, not {}", quoted(path), text, with_article(type_name(value))), {}};
}

std::optional<Finding> check_object(const Json& schema, const Json& value, const std::string& path) {
  for (const auto& key : schema.value("required", Json::array())) {
    if (!value.contains(key.get<std::string>())) {
      return Finding{fmt::format("'{}' is missing", joined(path, key.get<std::string>())), {}};
    }
  }
  static const Json k_none = Json::object();
  const auto& properties = schema.contains("properties") ? schema["properties"] : k_none;
  for (const auto& [key, item] : value.items()) {
    if (!is_utf8(key)) {
      return Finding{fmt::format("a name in {} must be UTF-8", quoted(path)), {}};
    }
    const auto here = joined(path, key);
    if (const auto property = properties.find(key); property != properties.end()) {
      if (auto finding = check(*property, item, here)) {
        return finding;
      }
    } else if (const auto other = schema.find("additionalProperties"); other != schema.end()) {
      if (other->is_boolean() && !other->get<bool>()) {
        std::vector<std::string> names;
        for (const auto& [name, ignored] : properties.items()) {
          names.push_back(name);
        }
        const auto near = nearest(key, names);
        return Finding{
            fmt::format("there is no parameter '{}'", here),
            near.empty() ? "" : fmt::format("did you mean '{}'?", near)};
      }
      if (other->is_object()) {
        if (auto finding = check(*other, item, here)) {
          return finding;
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> check(const Json& schema, const Json& value, const std::string& path) {
  for (const auto& [key, ignored] : schema.items()) {
    if (std::find(k_known_keys.begin(), k_known_keys.end(), key) == k_known_keys.end()) {
      throw Error(ErrorCode::internal, "schema of {} has '{}', which is not checked", quoted(path), key);
    }
  }
  if (auto finding = check_type(schema, value, path)) {
    return finding;
  }
  if (value.is_string() && !is_utf8(value.get_ref<const std::string&>())) {
    return Finding{fmt::format("{} must be UTF-8", quoted(path)), {}};
  }
  if (const auto choices = schema.find("enum"); choices != schema.end()) {
    if (std::find(choices->begin(), choices->end(), value) == choices->end()) {
      return Finding{
          fmt::format("{} must be one of {}, not {}", quoted(path), choices->dump(), value.dump()), {}};
    }
  }
  if (const auto least = schema.find("minimum");
      least != schema.end() && value.is_number() && value < *least) {
    return Finding{fmt::format("{} must be at least {}", quoted(path), least->dump()), {}};
  }
  if (value.is_object()) {
    return check_object(schema, value, path);
  }
  if (const auto items = schema.find("items"); items != schema.end() && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (auto finding = check(*items, value[i], fmt::format("{}[{}]", path, i))) {
        return finding;
      }
    }
  }
  return std::nullopt;
}

} // namespace

void check_parameters(const std::string& operation, const Json& schema, const Json& parameters) {
  if (const auto finding = check(schema, parameters, "")) {
    throw Error(ErrorCode::invalid_argument, "{}: {}", operation, finding->message).with_hint(finding->hint);
  }
}

std::string mismatch(const Json& schema, const Json& value) {
  const auto finding = check(schema, value, "");
  return finding ? finding->message : "";
}

} // namespace pyro::operations
