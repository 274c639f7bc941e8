// Reading JSON that somebody else wrote: every failure names the key. Prefer this to json::at and
// json::value.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Instantiated once, in json_access.cpp: half of what a unit that touches JSON would cost.
extern template class nlohmann::basic_json<>;

namespace pyro {

using Json = nlohmann::json;

/// Parses a document; `what` names it in the error (protocol), as for one that is too deep (json_text.hpp).
Json parse_json(std::string_view text, std::string_view what);

/// Two-space indent, sorted keys, final newline: the form of every record and document pyro writes.
std::string dump_json(const Json& value);

const Json& value_at(const Json& object, std::string_view key);
std::string get_string(const Json& object, std::string_view key);
std::int64_t get_int(const Json& object, std::string_view key);
double get_double(const Json& object, std::string_view key);
bool get_bool(const Json& object, std::string_view key);
std::vector<std::string> get_strings(const Json& object, std::string_view key);

/// Absent or null gives the default (or nullopt); a wrong type still throws.
std::optional<std::string> maybe_string(const Json& object, std::string_view key);
std::optional<std::int64_t> maybe_int(const Json& object, std::string_view key);
std::string string_or(const Json& object, std::string_view key, std::string_view otherwise);
std::int64_t int_or(const Json& object, std::string_view key, std::int64_t otherwise);
bool bool_or(const Json& object, std::string_view key, bool otherwise);
std::vector<std::string> strings_or_empty(const Json& object, std::string_view key);
/// An object of strings, e.g. environment variables; absent gives an empty map.
std::map<std::string, std::string> string_map_or_empty(const Json& object, std::string_view key);

/// null stands for "" and for a time that was never.
Json or_null(const std::string& text);
Json or_null(double epoch);
Json or_null(const std::optional<std::int64_t>& number);

} // namespace pyro
