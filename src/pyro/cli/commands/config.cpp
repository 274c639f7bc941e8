#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace config_command {

namespace {

constexpr std::string_view k_page = R"(
Prints what pyro.yaml means after the profile, variables and defaults: exactly what plan and apply work with. Secrets
are shown by name only. The form is JSON, which every YAML reader takes as well.

Examples:
  pyro config
  pyro config --profile ci | jq .services
  diff <(pyro config) <(pyro config --profile ci)
)";

int run(Session& session) {
  session.show(session.call("config", session.where()), [](const Json& config) { return dump_json(config); });
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
