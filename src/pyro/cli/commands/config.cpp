#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/cli/yaml_text.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::cli {

namespace config_command {

namespace {

constexpr std::string_view k_page = R"(
Prints what pyro.yaml means after the profile, variables and defaults: exactly what plan and apply work with. Secrets
are shown by name only. In YAML; --json for programs.

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

int run(Session& session) {
  auto parameters = session.where();
  if (session.arguments().has("hash")) {
    parameters["hash"] = true;
    session.show(session.call("config", parameters), hash_lines);
    return 0;
  }
  session.show(session.call("config", parameters), to_yaml);
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
