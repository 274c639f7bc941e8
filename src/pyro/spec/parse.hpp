// Text of a pyro.yaml → checked Spec, or up to 20 diagnostics. Pure: the host is seen only through
// ParseOptions.
#pragma once

#include "spec.hpp"
#include "token_end.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pyro::spec {

/// One more says how many were left out.
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
  TextPlace end = {};            // behind what stands at `place`
};

/// "pyro.yaml:3:5: error: services.api: unknown key 'prots' (did you mean 'ports'?)" on one line.
std::string to_string(const Diagnostic& diagnostic);

/// What the reader is told when it asks for a variable of the host.
class HostAnswer {
public:
  /// Its value; nullopt: it is not set.
  HostAnswer(std::optional<std::string> value) : m_value(std::move(value)) {}

  HostAnswer(const char* value) : m_value(value) {}

  /// Not told: the expression stays as it is written, whatever needs its value is not checked, and
  /// Spec::complete is false.
  static HostAnswer withheld() {
    HostAnswer answer{std::optional<std::string>{}};
    answer.m_withheld = true;
    return answer;
  }

  bool is_withheld() const { return m_withheld; }

  const std::optional<std::string>& value() const { return m_value; }

private:
  std::optional<std::string> m_value;
  bool m_withheld = false;
};

using HostLookup = std::function<HostAnswer(const std::string& name)>;

struct ParseOptions {
  std::string file = "pyro.yaml"; // shown in positions
  std::string directory;          // name of the directory that holds it: the default of `name`
  std::optional<std::string> profile;
  StringMap vars;                             // --var, PYRO_VAR_…: win over everything
  std::map<std::string, Position> var_places; // of those that stand in a file of their own
  /// --set ADDRESS=VALUE, in order: over the file and its profile. An address is one of the spec's.
  std::vector<std::pair<std::string, std::string>> sets;
  /// A variable of the host, for ${env:NAME} and vars.<n>.env; not set: none exists.
  HostLookup host_env;
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
