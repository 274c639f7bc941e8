// The table of every map in pyro.yaml: keys, types, help, examples. The reader refuses what is not in it, and
// the JSON Schema for editors and docs/reference/pyro-yaml.md are made from it, so they cannot disagree.
#pragma once

#include <pyro/base/json_access.hpp>

#include <span>
#include <string_view>

namespace pyro::spec {

enum class Presence { optional, required };

struct Field {
  std::string_view key;
  std::string_view type; // "string", "int 1..512", "enum a|b", "list string", "map string", "shape step",
                         // "list shape step", …
  std::string_view help;
  std::string_view default_text = {};
  Presence presence = Presence::optional;
  std::string_view example = {}; // a value as it is written; a list or map in JSON
};

struct Shape {
  std::string_view name;  // "root", "service", "readiness"
  std::string_view where; // its address: "services.NAME.readiness"; empty of the whole file
  std::string_view help;
  std::span<const Field> fields;
  std::string_view exactly_one_of = {}; // "exec|http": these exclude each other, and one has to be there

  const Field* find(std::string_view key) const;
};

std::span<const Shape> shapes();

/// Throws Error(internal) for a name that is not in the table.
const Shape& shape(std::string_view name);

/// How to say it here, for spellings of Compose, Kubernetes and devcontainers; empty if the key is not known
/// from there.
std::string_view foreign_hint(std::string_view shape, std::string_view key);

/// JSON Schema (draft 2020-12) of the whole file: what `pyro schema` prints and schemas/pyro-1.schema.json
/// holds.
Json json_schema();

} // namespace pyro::spec
