#include <pyro/base/safe_text.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::cli {

namespace import_command {

namespace {

constexpr std::string_view k_compose_page = R"(
Makes a first pyro.yaml of a Compose file: one image for all, its services with their commands, variables, ports,
health checks and order, servers such as PostgreSQL and Redis as Debian's packages, the checkout as the seed. What could
not be taken over is listed with its line, and stands at the beginning of the new file. docs/from-compose.md says what
becomes of each field.

Examples:
  pyro import compose compose.yaml
  pyro import compose docker-compose.yml --force && pyro plan
)";

constexpr std::string_view k_devcontainer_page = R"(
Makes a first pyro.yaml of a devcontainer.json: its image, user, variables and sizes, its commands as prepare steps and
services. What could not be taken over is listed with its line, and stands at the beginning of the new file.

Examples:
  pyro import devcontainer .devcontainer/devcontainer.json
)";

constexpr std::array k_options{
    Option{"--force", "", "", "Overwrite a pyro.yaml that is there"},
};

constexpr std::array k_operands{
    Operand{"FILE", Count::one, "What is read; it stays as it is"},
};

std::string listed(const Json& done, bool is_needed) {
  std::string text;
  for (const auto& one : list_at(done, "unmapped")) {
    if (get_bool(one, "needed") == is_needed) {
      text += fmt::format(
          "  {}:{}: {}: {}\n", escape_controls(get_string(done, "source")), get_int(one, "line"),
          text_at(one, "key"), text_at(one, "reason"));
    }
  }
  return text;
}

int import_from(Session& session, const char* kind) {
  const auto& arguments = session.arguments();
  const Json parameters{
      {"directory", arguments.value("directory", ".")},
      {"file", arguments.value("file", "pyro.yaml")},
      {"kind", kind},
      {"source_path", arguments.operands.front()},
      {"force", arguments.has("force")}};
  session.conclude(session.call("import_file", parameters), [&](const Json& done) {
    auto text = fmt::format("Wrote {}.\n", escape_controls(get_string(done, "file")));
    const auto lost = listed(done, true);
    text += lost.empty() ? "" : "Not taken over:\n" + lost;
    if (const auto unneeded = listed(done, false); session.verbose() && !unneeded.empty()) {
      text += "Not needed here:\n" + unneeded;
    }
    return text + "Read it, then:\n  pyro plan\n";
  });
  return 0;
}

int run_compose(Session& session) {
  return import_from(session, "compose");
}

int run_devcontainer(Session& session) {
  return import_from(session, "devcontainer");
}

} // namespace

} // namespace import_command

constinit const Command k_import_compose{
    .name = "import compose",
    .summary = "Make a first pyro.yaml of a Compose file",
    .page = import_command::k_compose_page,
    .run = import_command::run_compose,
    .options = import_command::k_options,
    .operands = import_command::k_operands,
    .takes = Takes::directory | Takes::file | Takes::document,
};

constinit const Command k_import_devcontainer{
    .name = "import devcontainer",
    .summary = "Make a first pyro.yaml of a devcontainer.json",
    .page = import_command::k_devcontainer_page,
    .run = import_command::run_devcontainer,
    .options = import_command::k_options,
    .operands = import_command::k_operands,
    .takes = Takes::directory | Takes::file | Takes::document,
};

} // namespace pyro::cli
