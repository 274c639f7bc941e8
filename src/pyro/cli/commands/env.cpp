#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/render_vm.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace env_command {

namespace {

constexpr std::string_view k_pull_page = R"(
Fetches an image (or makes it, for a catalogue name) so that `pyro apply` need not. IMAGE is anything that
environment.image takes: debian:12, an OCI reference, oci:PATH, docker-archive:PATH, dir:PATH, tar:PATH.

Examples:
  pyro env pull debian:12
  pyro env pull alpine:3 --refresh
  pyro env pull tar:./rootfs.tar.zst
)";

constexpr std::string_view k_remove_page = R"(
Forgets an image that no workspace and no snapshot stands on. `pyro prune` then frees the space of its layers, unless
another image has them too.

Examples:
  pyro env remove alpine:3
)";

constexpr std::string_view k_list_page = R"(
Lists the images on this machine, with their size and how many workspaces stand on each.

Examples:
  pyro env list
)";

constexpr std::string_view k_inspect_page = R"(
Shows one image: digest, layers, size, default user and variables.

Examples:
  pyro env inspect debian:12
  pyro env inspect debian:12 --json | jq .layers
)";

constexpr std::string_view k_prune_page = R"(
Removes images that no workspace and no snapshot stands on.

Examples:
  pyro env prune --dry-run
  pyro env prune
)";

constexpr std::array k_image{Operand{"IMAGE", Count::one, "As environment.image in pyro.yaml"}};
constexpr std::array k_pull_options{
    Option{"--refresh", "", "", "Also where it is here: its name may stand for another by now"}};
constexpr std::array k_prune_options{Option{"--dry-run", "", "", "Only say what would go"}};

Json image_of(const Session& session) {
  return {{"image", session.arguments().operands.front()}};
}

int run_pull(Session& session) {
  auto parameters = image_of(session);
  if (session.arguments().has("refresh")) {
    parameters["refresh"] = true;
  }
  session.conclude(session.call("env_pull", parameters), render_document);
  return 0;
}

int run_remove(Session& session) {
  session.conclude(session.call("env_remove", image_of(session)), [](const Json& result) {
    return fmt::format("Forgot {} ({}).\n", text_at(result, "image"), bytes_at(result, "size_bytes"));
  });
  return 0;
}

int run_list(Session& session) {
  session.show(session.call("env_list", Json::object()), [&](const Json& result) {
    return render_environments(result, session.out_style());
  });
  return 0;
}

int run_inspect(Session& session) {
  session.show(session.call("env_inspect", image_of(session)), [](const Json& environment) {
    return render_environment(environment, epoch_now());
  });
  return 0;
}

int run_prune(Session& session) {
  const Json parameters{{"dry_run", session.arguments().has("dry-run")}};
  session.show(session.call("env_prune", parameters), render_removed);
  return 0;
}

} // namespace

} // namespace env_command

constinit const Command k_env_pull{
    .name = "env pull",
    .summary = "Fetch an image now",
    .page = env_command::k_pull_page,
    .run = env_command::run_pull,
    .options = env_command::k_pull_options,
    .operands = env_command::k_image,
    .takes = Takes::document,
};

constinit const Command k_env_remove{
    .name = "env remove",
    .summary = "Forget an image that nothing uses",
    .page = env_command::k_remove_page,
    .run = env_command::run_remove,
    .operands = env_command::k_image,
    .alias = "env rm",
    .takes = Takes::document,
};

constinit const Command k_env_list{
    .name = "env list",
    .summary = "List the images on this machine",
    .page = env_command::k_list_page,
    .run = env_command::run_list,
    .alias = "env ls",
    .takes = Takes::document,
};

constinit const Command k_env_inspect{
    .name = "env inspect",
    .summary = "Show an image",
    .page = env_command::k_inspect_page,
    .run = env_command::run_inspect,
    .operands = env_command::k_image,
    .takes = Takes::document,
};

constinit const Command k_env_prune{
    .name = "env prune",
    .summary = "Remove images that nothing uses",
    .page = env_command::k_prune_page,
    .run = env_command::run_prune,
    .options = env_command::k_prune_options,
    .takes = Takes::document,
};

} // namespace pyro::cli
