#include "json_access.hpp"

#include "error.hpp"
#include "json_text.hpp"
#include "safe_text.hpp"

template class nlohmann::basic_json<>;

namespace pyro {

namespace {

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) {
    throw Error(ErrorCode::protocol, "expected an object with '{}', found {}", key, object.type_name());
  }
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

[[noreturn]] void wrong_type(std::string_view key, std::string_view wanted, const Json& value) {
  throw Error(ErrorCode::protocol, "'{}' must be {}, found {}", key, wanted, value.type_name());
}

std::string as_string(const Json& value, std::string_view key) {
  if (!value.is_string()) {
    wrong_type(key, "a string", value);
  }
  return value.get<std::string>();
}

std::int64_t as_int(const Json& value, std::string_view key) {
  if (!value.is_number_integer()) {
    wrong_type(key, "an integer", value);
  }
  return value.get<std::int64_t>();
}

bool as_bool(const Json& value, std::string_view key) {
  if (!value.is_boolean()) {
    wrong_type(key, "true or false", value);
  }
  return value.get<bool>();
}

std::vector<std::string> as_strings(const Json& value, std::string_view key) {
  if (!value.is_array()) {
    wrong_type(key, "a list of strings", value);
  }
  std::vector<std::string> result;
  for (const auto& item : value) {
    result.push_back(as_string(item, key));
  }
  return result;
}

} // namespace

Json parse_json(std::string_view text, std::string_view what) {
  if (is_deep_json(text)) {
    throw Error(ErrorCode::protocol, "{} is nested more than {} levels deep", what, k_max_json_depth);
  }
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) { // a number beyond all bounds (1e999) is no parse_error
    throw Error(ErrorCode::protocol, "{} is not valid JSON: {}", what, error.what());
  }
}

std::string dump_json(const Json& value) {
  return escape_json(value.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

const Json& value_at(const Json& object, std::string_view key) {
  if (const auto* value = find(object, key)) {
    return *value;
  }
  throw Error(ErrorCode::protocol, "'{}' is missing", key);
}

std::string get_string(const Json& object, std::string_view key) {
  return as_string(value_at(object, key), key);
}

std::int64_t get_int(const Json& object, std::string_view key) {
  return as_int(value_at(object, key), key);
}

double get_double(const Json& object, std::string_view key) {
  const auto& value = value_at(object, key);
  if (!value.is_number()) {
    wrong_type(key, "a number", value);
  }
  return value.get<double>();
}

bool get_bool(const Json& object, std::string_view key) {
  return as_bool(value_at(object, key), key);
}

std::vector<std::string> get_strings(const Json& object, std::string_view key) {
  return as_strings(value_at(object, key), key);
}

std::optional<std::string> maybe_string(const Json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value ? std::optional(as_string(*value, key)) : std::nullopt;
}

std::optional<std::int64_t> maybe_int(const Json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value ? std::optional(as_int(*value, key)) : std::nullopt;
}

std::string string_or(const Json& object, std::string_view key, std::string_view otherwise) {
  const auto* value = find(object, key);
  return value ? as_string(*value, key) : std::string(otherwise);
}

std::int64_t int_or(const Json& object, std::string_view key, std::int64_t otherwise) {
  const auto* value = find(object, key);
  return value ? as_int(*value, key) : otherwise;
}

bool bool_or(const Json& object, std::string_view key, bool otherwise) {
  const auto* value = find(object, key);
  return value ? as_bool(*value, key) : otherwise;
}

std::vector<std::string> strings_or_empty(const Json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value ? as_strings(*value, key) : std::vector<std::string>{};
}

std::map<std::string, std::string> string_map_or_empty(const Json& object, std::string_view key) {
  std::map<std::string, std::string> result;
  const auto* value = find(object, key);
  if (!value) {
    return result;
  }
  if (!value->is_object()) {
    wrong_type(key, "an object of strings", *value);
  }
  for (const auto& [name, item] : value->items()) {
    result[name] = as_string(item, name);
  }
  return result;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json or_null(double epoch) {
  return epoch > 0 ? Json(epoch) : Json();
}

Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

} // namespace pyro
