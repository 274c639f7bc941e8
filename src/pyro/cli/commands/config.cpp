#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/cli/yaml_text.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::cli {

namespace config_command {

namespace {

constexpr std::string_view k_page = R"(
Prints what pyro.yaml means after the profile, variables and defaults: exactly what plan and apply work with. Secrets
are shown by name only, and at the end stands what is never reported as drift, whatever drift.ignore says. In YAML;
--json for programs.

Examples:
  pyro config
  pyro config --profile ci --json | jq .services
  pyro config --hash        a digest for each step, and `setup` for all before the seed: a key for caches of CI
  diff <(pyro config) <(pyro config --profile ci)
)";

constexpr std::array k_options{
    Option{"--hash", "", "", "Digests instead, equal on every machine where the same would be built"},
};

std::string hash_lines(const Json& result) {
  std::string text = get_string(result, "setup") + "  setup\n";
  for (const auto& [address, key] : result.at("hashes").items()) {
    text += fmt::format("{}  {}\n", key.get<std::string>(), address);
  }
  return text;
}

/// The file that it is, and as comments what no file says.
std::string config_text(const Json& result) {
  auto file = result;
  std::string comments;
  if (const auto drift = file.find("drift"); drift != file.end() && drift->is_object()) {
    for (const auto& pattern : list_at(*drift, "built_in_ignore")) {
      comments += fmt::format("#   {}\n", operations::escape_controls(pattern.get<std::string>()));
    }
    drift->erase("built_in_ignore");
  }
  return to_yaml(file) + (comments.empty() ? "" : "# Never reported as drift:\n" + comments);
}

int run(Session& session) {
  auto parameters = session.where();
  if (session.arguments().has("hash")) {
    parameters["hash"] = true;
    session.show(session.call("config", parameters), hash_lines);
    return 0;
  }
  session.show(session.call("config", parameters), config_text);
  return 0;
}

} // namespace

} // namespace config_command

constinit const Command k_config{
    .name = "config",
    .summary = "Print the effective pyro.yaml",
    .page = config_command::k_page,
    .run = config_command::run,
    .options = config_command::k_options,
};

} // namespace pyro::cli
