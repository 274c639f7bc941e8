#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::cli {

namespace schema_command {

namespace {

constexpr std::string_view k_page = R"(
Prints the JSON Schema of pyro.yaml, for completion, help and checks in an editor. The reader and the schema are made
from one table, so they agree.

With --install it is written to .pyro/pyro-1.schema.json beside pyro.yaml. That is where the first line of a file that
`pyro init` wrote sends editors with a YAML language server:
  # yaml-language-server: $schema=.pyro/pyro-1.schema.json
Editors that are to know it without that line have it in their settings of the directory: --vscode, --zed. What is in
them stays, comments as well. The directory .pyro is never part of a seed; commit it or let git ignore it.

Examples:
  pyro schema > pyro.schema.json
  pyro schema --install
  pyro schema --install --vscode
)";

constexpr std::array k_options{
    Option{"--install", "", "", "Write it beside pyro.yaml"},
    Option{"--vscode", "", "", "With --install: also into .vscode/settings.json"},
    Option{"--zed", "", "", "With --install: also into .zed/settings.json"},
};

int install(Session& session) {
  const auto& arguments = session.arguments();
  if (arguments.has("vscode") && arguments.has("zed")) {
    throw Error(ErrorCode::usage, "--vscode and --zed: one at a time");
  }
  Json parameters{
      {"directory", arguments.value("directory", ".")}, {"file", arguments.value("file", "pyro.yaml")}};
  if (arguments.has("vscode") || arguments.has("zed")) {
    parameters["editor"] = arguments.has("vscode") ? "vscode" : "zed";
  }
  session.conclude(session.call("schema_install", parameters), [](const Json& done) {
    std::string text;
    for (const auto& file : list_at(done, "files")) {
      text += fmt::format(
          "{} {}\n",
          get_bool(file, "changed") ? "Wrote" : "As it was:", escape_controls(get_string(file, "path")));
    }
    return text;
  });
  return 0;
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  if (arguments.has("install")) {
    return install(session);
  }
  for (const auto* flag : {"vscode", "zed", "file", "directory"}) {
    if (arguments.is_on_the_line(flag)) {
      throw Error(ErrorCode::usage, "--{} means nothing to pyro schema without --install", flag);
    }
  }
  session.show(session.call("schema", Json::object()), [](const Json& schema) { return dump_json(schema); });
  return 0;
}

} // namespace

} // namespace schema_command

constinit const Command k_schema{
    .name = "schema",
    .summary = "Print the JSON Schema of pyro.yaml, or install it for editors",
    .page = schema_command::k_page,
    .run = schema_command::run,
    .options = schema_command::k_options,
    .takes = Takes::directory | Takes::file | Takes::document,
};

} // namespace pyro::cli
