// cp: files between this machine and a workspace. `workspace sync push` and `workspace export` are the calls
// for scripts, by id.
#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace cp_command {

namespace {

constexpr std::string_view k_page = R"(
Copies a file, or a directory with all below it, into /workspace or out of it. A path that begins with a colon is inside;
relative ones start at /workspace. As with cp -r, an existing directory is where the copy goes, else the path is
what it becomes; `dir/.` is the content of a directory alone. What is inside is overwritten, all of it or nothing; on
this machine nothing that exists is.

Examples:
  pyro cp :coverage/report.html .
  pyro cp fixtures.sql :tests/
  pyro cp -w shop ./data/. :data
)";

constexpr std::array k_operands{
    Operand{"FROM", Count::one, "A path here, or :PATH inside"},
    Operand{"TO", Count::one, "The other way round"}};

bool is_inside(const std::string& path) {
  return path.starts_with(':');
}

/// ":" is /workspace itself.
std::string path_inside(const std::string& path) {
  return path.size() == 1 ? "/workspace" : path.substr(1);
}

int run(Session& session) {
  const auto& from = session.arguments().operands.at(0);
  const auto& to = session.arguments().operands.at(1);
  if (is_inside(from) == is_inside(to)) {
    throw Error(
        ErrorCode::usage, "'{}' and '{}' are both {}", from, to,
        is_inside(from) ? "inside" : "on this machine")
        .with_hint("write a colon before the path inside: pyro cp FILE :FILE, pyro cp :FILE FILE");
  }
  auto parameters = session.where();
  if (is_inside(to)) {
    parameters["source_path"] = from;
    parameters["path"] = path_inside(to);
    session.conclude(session.call("copy_in", parameters), [](const Json& result) {
      return fmt::format(
          "Copied to {} inside ({}).\n", text_at(result, "path"), bytes_at(result, "bytes_written"));
    });
    return 0;
  }
  parameters["path"] = path_inside(from);
  parameters["output_path"] = to;
  session.conclude(session.call("copy_out", parameters), [](const Json& result) {
    return fmt::format(
        "Copied to {} ({}).\n", text_at(result, "output_path"), bytes_at(result, "bytes_written"));
  });
  return 0;
}

} // namespace

} // namespace cp_command

constinit const Command k_cp{
    .name = "cp",
    .summary = "Copy files into the workspace or out of it",
    .page = cp_command::k_page,
    .run = cp_command::run,
    .operands = cp_command::k_operands,
};

} // namespace pyro::cli
