// Any bytes as a pyro.yaml: never a crash, never another exception, and what parses has a normal form.
#include "../support/require.hpp"

#include <pyro/spec/normal_form.hpp>
#include <pyro/spec/parse.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseOptions options;
  options.host_env = [](const std::string& name) {
    return name.size() % 2 == 0 ? std::optional<std::string>("value") : std::nullopt;
  };
  const auto result = parse_spec(text, options);
  require(result.diagnostics.size() <= k_max_diagnostics + 1, "at most 20 diagnostics and how many are left");
  require(result.ok() || !result.diagnostics.empty(), "a file that does not parse says why");
  for (const auto& diagnostic : result.diagnostics) {
    require(!diagnostic.message.empty(), "a diagnostic has a message");
    require(diagnostic.place.line >= 0 && diagnostic.place.column >= 0, "places count from one");
    require(!to_string(diagnostic).empty(), "a diagnostic can be shown");
  }
  if (!result.ok()) {
    require(result.diagnostics.front().severity == Severity::error, "errors come first");
    return 0;
  }
  require(
      normal_form(*result.spec) == normal_form(*parse_spec(text, options).spec), "parsing is deterministic");
  for (const auto& [name, service] : result.spec->services) {
    require(service_definition(service, result.spec->environment).is_object(), "a service has a definition");
  }
  for (const auto& profile : result.spec->profile_names) {
    options.profile = profile;
    parse_spec(text, options);
  }
  return 0;
}
