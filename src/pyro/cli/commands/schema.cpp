#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace schema_command {

namespace {

constexpr std::string_view k_page = R"(
Prints the JSON Schema of pyro.yaml, for completion and checks in an editor. The reader and the schema are made from
one table, so they agree.

Examples:
  pyro schema > pyro.schema.json
  then, as the first line of pyro.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=./pyro.schema.json
)";

int run(Session& session) {
  session.show(session.call("schema", Json::object()), [](const Json& schema) { return dump_json(schema); });
  return 0;
}

} // namespace

} // namespace schema_command

constinit const Command k_schema{
    .name = "schema",
    .summary = "Print the JSON Schema of pyro.yaml",
    .page = schema_command::k_page,
    .run = schema_command::run,
    .takes = Takes::document,
};

} // namespace pyro::cli
