#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>

namespace pyro::cli {

namespace workspace_create_command {

namespace {

constexpr std::string_view k_page = R"(
Makes a workspace without a pyro.yaml and starts it. ENVIRONMENT is an image (debian:12), host, dir:PATH or tar:PATH.
What --seed-path names, a directory or an archive, becomes /workspace. A secret is a file in /run/secrets, and a
variable of a command where `pyro workspace exec --secret-env` says so; its value is never shown or recorded.

Examples:
  pyro workspace create debian:12 --seed-path . --name demo
  id=$(pyro workspace create host --id-only --ttl-seconds 3600)
  pyro workspace create host --secret TOKEN --secret-file key=$HOME/.ssh/id_ed25519
)";

constexpr std::array k_environment{
    Operand{"ENVIRONMENT", Count::one, "debian:12, host, dir:PATH, tar:PATH, …"}};

constexpr std::array k_options{
    Option{"--seed-path", "", "PATH", "Directory or archive that becomes /workspace"},
    k_name,
    k_label,
    k_vcpu_count,
    k_mem_mib,
    k_ttl_seconds,
    k_network_policy,
    Option{
        "--egress-host", "", "HOST", "With egress: to these alone, where the backend can", "", Repeat::yes},
    k_backend,
    k_allow_host_compat,
    k_secret,
    k_secret_file,
    k_id_only,
};

int run(Session& session) {
  Json parameters{{"environment", session.arguments().operands.front()}};
  for (const auto* flag : {"seed-path", "name", "network-policy", "backend"}) {
    take_text(session, flag, parameters);
  }
  for (const auto* flag : {"vcpu-count", "mem-mib", "ttl-seconds"}) {
    take_number(session, flag, parameters);
  }
  take_switch(session, "allow-host-compat", parameters);
  take_pairs(session, "label", "labels", parameters);
  take_secrets(session, parameters);
  if (const auto hosts = session.arguments().values("egress-host"); !hosts.empty()) {
    parameters["egress_hosts"] = hosts;
  }
  show_made(session, session.call("workspace_create", parameters), "workspace_id", [&](const Json& made) {
    return render_status(made, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace workspace_create_command

constinit const Command k_workspace_create{
    .name = "workspace create",
    .summary = "Make a workspace without a pyro.yaml",
    .page = workspace_create_command::k_page,
    .run = workspace_create_command::run,
    .options = workspace_create_command::k_options,
    .operands = workspace_create_command::k_environment,
    .takes = Takes::document,
};

} // namespace pyro::cli
