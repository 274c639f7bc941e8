#include <pyro/base/safe_text.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace init_command {

namespace {

constexpr std::string_view k_page = R"(
Writes a first, commented pyro.yaml that suits the directory: it looks for CMakeLists.txt, package.json,
pyproject.toml or requirements.txt, go.mod, Cargo.toml, index.html and Makefile, for lock files, for Redis and PostgreSQL
among the dependencies (or in a compose.yaml), for the tests, for what git tracks, and whether this machine has the
programs; with image `host` if it has, else with debian:12 and packages. What it cannot know is there as a comment.
Needs no network and never overwrites a file. docs/projects.md has ten projects from here to their tests.

Examples:
  pyro init && pyro apply
  pyro init -C ../shop --kind node
)";

constexpr std::array k_options{
    Option{"--kind", "", "KIND", "Instead of looking", "cmake|node|python|go|rust|static|make|generic"},
};

int run(Session& session) {
  const auto& arguments = session.arguments();
  Json parameters{
      {"directory", arguments.value("directory", ".")}, {"file", arguments.value("file", "pyro.yaml")}};
  if (const auto kind = arguments.value("kind"); !kind.empty()) {
    parameters["kind"] = kind;
  }
  session.conclude(session.call("init", parameters), [](const Json& written) {
    const auto test = get_string(written, "test");
    return fmt::format(
        "Wrote {} ({}). Read it, then:\n  pyro apply\n{}", escape_controls(get_string(written, "file")),
        get_string(written, "kind"), test.empty() ? "" : "  pyro exec -- " + test + "\n");
  });
  return 0;
}

} // namespace

} // namespace init_command

constinit const Command k_init{
    .name = "init",
    .summary = "Write a first pyro.yaml for this directory",
    .page = init_command::k_page,
    .run = init_command::run,
    .options = init_command::k_options,
    .takes = Takes::directory | Takes::file | Takes::document,
};

} // namespace pyro::cli
