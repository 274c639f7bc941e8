// ${…} in parsed values. Never in keys, never in raw text.
#pragma once

#include "parse.hpp"
#include "reader.hpp"

#include <set>

namespace pyro::spec {

struct Lookup {
  /// Declared variables; nullopt inside: declared, but without a value.
  std::map<std::string, std::optional<std::string>> vars;
  /// Those of them whose value the host withholds: `${env:NAME}` stands for it.
  std::set<std::string> withheld;
  /// What the file says of them, where it says anything.
  std::map<std::string, std::string> descriptions;
  /// Where each is declared.
  std::map<std::string, Position> places;
  HostLookup host_env;
};

/// ${name}, ${env:NAME}, ${name:-default}, ${name:?message} and $$ in every value below the root, except in
/// `vars`, `profiles` and x-* keys.
void interpolate(Context& context, Node& root, const Lookup& lookup);

} // namespace pyro::spec
