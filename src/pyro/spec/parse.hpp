// Text of a pyro.yaml → checked Spec, or up to 20 diagnostics. Pure: the host is seen only through
// ParseOptions.
#pragma once

#include <pyro/spec/spec.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::spec {

inline constexpr std::size_t k_max_diagnostics = 20;

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code; // stable: "unknown_key", "duplicate_key", "yaml", "type", "value", "reference", …
  Position place;
  std::string address; // "services.api.readiness"; empty for the text as such
  std::string message;
  std::string hint;
  std::optional<Position> other; // the first of two duplicates, what a profile overrides, …
};

/// "pyro.yaml:3:5: error: services.api: unknown key 'prots' (did you mean 'ports'?)" on one line.
std::string to_string(const Diagnostic& diagnostic);

struct ParseOptions {
  std::string file = "pyro.yaml"; // shown in positions
  std::string directory;          // name of the directory that holds it: the default of `name`
  std::optional<std::string> profile;
  StringMap vars; // --var, PYRO_VAR_…: win over everything
  /// A variable of the host, for ${env:NAME} and vars.<n>.env; not set: none exists.
  std::function<std::optional<std::string>(const std::string&)> host_env;
};

struct ParseResult {
  std::optional<Spec> spec;            // present exactly if there is no error
  std::vector<Diagnostic> diagnostics; // errors first, each group in order of the text

  bool ok() const { return spec.has_value(); }
};

ParseResult parse_spec(std::string_view text, const ParseOptions& options = {});

/// The Spec, or an Error(invalid_file) at the first error; where there are more, its output lists all
/// diagnostics.
Spec parse_spec_or_throw(std::string_view text, const ParseOptions& options = {});

} // namespace pyro::spec
