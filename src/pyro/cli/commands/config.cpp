#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/cli/yaml_text.hpp>

namespace pyro::cli {

namespace config_command {

namespace {

constexpr std::string_view k_page = R"(
Prints what pyro.yaml means after the profile, variables and defaults: exactly what plan and apply work with. Secrets
are shown by name only. In YAML; --json for programs.

Examples:
  pyro config
  pyro config --profile ci --json | jq .services
  diff <(pyro config) <(pyro config --profile ci)
)";

int run(Session& session) {
  session.show(session.call("config", session.where()), to_yaml);
  return 0;
}

} // namespace

} // namespace config_command

constinit const Command k_config{
    .name = "config",
    .summary = "Print the effective pyro.yaml",
    .page = config_command::k_page,
    .run = config_command::run,
};

} // namespace pyro::cli
