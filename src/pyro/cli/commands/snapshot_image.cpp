#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace snapshot_image_command {

namespace {

constexpr std::string_view k_export_page = R"(
Writes a snapshot as an OCI image: a layout directory, or a file where the path ends with .tar. Base and changes, layer
by layer; skopeo, podman and umoci read it, and `environment.image: oci:DIRECTORY` starts from it anywhere. Equal
content gives equal digests.

Examples:
  pyro snapshot export clean ./clean-image
  pyro snapshot export clean clean.tar --compression zstd
)";

constexpr std::string_view k_import_page = R"(
Makes a snapshot of an OCI image: what `pyro snapshot export` wrote, or any image that environment.image takes. `pyro
reset --to NAME` goes to it; what the workspace was made from does not matter.

Examples:
  pyro snapshot import ./clean-image
  pyro snapshot import clean.tar --name from-ci
)";

constexpr std::string_view k_push_page = R"(
Copies a snapshot as an OCI image to a registry, with skopeo and the account that `skopeo login` keeps. A registry on
this machine (localhost) may speak plain HTTP.

Examples:
  pyro snapshot push clean registry.example/team/app:clean
)";

constexpr std::string_view k_pull_page = R"(
Makes a snapshot of an image in a registry. `pyro reset --to NAME` goes to it.

Examples:
  pyro snapshot pull registry.example/team/app:clean
  pyro snapshot pull registry.example/team/app:1.2 --name from-ci
)";

constexpr Operand k_snapshot{"NAME", Count::one, "A snapshot; `pyro snapshot ls` lists them"};
constexpr Operand k_reference{"IMAGE", Count::one, "As registry.example/team/app:tag"};
constexpr std::array k_export_operands{
    k_snapshot, Operand{"PATH", Count::one, "A directory, or a file ending with .tar; must not exist"}};
constexpr std::array k_import_operands{Operand{"SOURCE", Count::one, "A directory, a file or an image"}};
constexpr std::array k_push_operands{k_snapshot, k_reference};
constexpr std::array k_pull_operands{k_reference};
constexpr Option k_compression{"--compression", "", "gzip|zstd|none", "Of the layers; default: gzip"};
constexpr std::array k_export_options{
    k_compression, Option{"--tag", "", "TAG", "Of the image; default: the snapshot's name"}};
constexpr std::array k_push_options{k_compression};
constexpr std::array k_name_options{Option{"--name", "", "NAME", "Default: the image's tag"}};

void take(const Session& session, const std::string& option, const std::string& key, Json& parameters) {
  if (session.arguments().has(option)) {
    parameters[key] = session.arguments().value(option);
  }
}

int run_export(Session& session) {
  auto parameters = session.where();
  parameters["snapshot_name"] = session.arguments().operands[0];
  parameters["output_path"] = session.arguments().operands[1];
  take(session, "compression", "compression", parameters);
  take(session, "tag", "tag", parameters);
  session.conclude(session.call("snapshot_export", parameters), [](const Json& result) {
    return fmt::format(
        "Wrote {} to {} ({}).\n", text_at(result, "snapshot_name"), text_at(result, "output_path"),
        bytes_at(result, "packed_bytes"));
  });
  return 0;
}

int run_push(Session& session) {
  auto parameters = session.where();
  parameters["snapshot_name"] = session.arguments().operands[0];
  parameters["reference"] = session.arguments().operands[1];
  take(session, "compression", "compression", parameters);
  session.conclude(session.call("snapshot_push", parameters), [](const Json& result) {
    return fmt::format(
        "Pushed {} to {} ({}).\n", text_at(result, "snapshot_name"), text_at(result, "reference"),
        bytes_at(result, "packed_bytes"));
  });
  return 0;
}

int import_from(Session& session, const std::string& source) {
  auto parameters = session.where();
  parameters["source"] = source;
  take(session, "name", "snapshot_name", parameters);
  session.conclude(session.call("snapshot_import", parameters), [](const Json& result) {
    const auto name = text_at(result["snapshot"], "snapshot_name");
    return fmt::format("Imported {}. `pyro reset --to {}` goes to it.\n", name, name);
  });
  return 0;
}

int run_import(Session& session) {
  return import_from(session, session.arguments().operands.front());
}

int run_pull(Session& session) {
  const auto& reference = session.arguments().operands.front();
  return import_from(session, reference.starts_with("docker://") ? reference : "docker://" + reference);
}

} // namespace

} // namespace snapshot_image_command

constinit const Command k_snapshot_export{
    .name = "snapshot export",
    .summary = "Write a snapshot as an OCI image",
    .page = snapshot_image_command::k_export_page,
    .run = snapshot_image_command::run_export,
    .options = snapshot_image_command::k_export_options,
    .operands = snapshot_image_command::k_export_operands,
};

constinit const Command k_snapshot_import{
    .name = "snapshot import",
    .summary = "Make a snapshot of an OCI image",
    .page = snapshot_image_command::k_import_page,
    .run = snapshot_image_command::run_import,
    .options = snapshot_image_command::k_name_options,
    .operands = snapshot_image_command::k_import_operands,
};

constinit const Command k_snapshot_push{
    .name = "snapshot push",
    .summary = "Copy a snapshot to a registry",
    .page = snapshot_image_command::k_push_page,
    .run = snapshot_image_command::run_push,
    .options = snapshot_image_command::k_push_options,
    .operands = snapshot_image_command::k_push_operands,
};

constinit const Command k_snapshot_pull{
    .name = "snapshot pull",
    .summary = "Make a snapshot of an image in a registry",
    .page = snapshot_image_command::k_pull_page,
    .run = snapshot_image_command::run_pull,
    .options = snapshot_image_command::k_name_options,
    .operands = snapshot_image_command::k_pull_operands,
};

} // namespace pyro::cli
