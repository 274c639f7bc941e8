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
Copies a file, or a directory with all below it, into /workspace, out of it, or from one workspace to another. A path that
begins with a colon is inside, NAME:PATH is inside the workspace of that name; relative ones start at /workspace. As with
cp -r, an existing directory is where the copy goes, else the path is what it becomes; `dir/.` is the content of a directory
alone. What is inside is overwritten, all of it or nothing; on this machine nothing that exists is. A file here whose name
has a colon is ./NAME.

Examples:
  pyro cp :coverage/report.html .
  pyro cp fixtures.sql :tests/
  pyro cp -w shop ./data/. :data
  pyro cp :dump.sql other:
)";

constexpr std::array k_operands{
    Operand{"FROM", Count::one, "A path here, :PATH inside, or NAME:PATH inside another workspace"},
    Operand{"TO", Count::one, "The same; one of the two is inside"}};

struct Place {
  bool is_inside = false;
  std::string workspace; // empty: that of the command
  std::string path;
};

/// ":" is /workspace itself.
Place place_of(const std::string& text) {
  const auto colon = text.find(':');
  const bool is_inside = colon != std::string::npos && text.find('/') > colon && !text.starts_with('.');
  if (!is_inside) {
    return {false, "", text};
  }
  const auto path = text.substr(colon + 1);
  return {true, text.substr(0, colon), path.empty() ? "/workspace" : path};
}

/// Parameters with the workspace of a place.
Json where(Session& session, const Place& place) {
  auto parameters = session.where();
  if (!place.workspace.empty()) {
    parameters["workspace"] = place.workspace;
  }
  return parameters;
}

int copy_between(Session& session, const Place& from, const Place& to) {
  auto parameters = where(session, from);
  const auto own = session.where();
  const auto target = to.workspace.empty() ? string_or(own, "workspace", "") : to.workspace;
  if (!target.empty()) {
    parameters["to_workspace"] = target;
  }
  parameters["path"] = from.path;
  parameters["to_path"] = to.path;
  session.conclude(session.call("copy_between", parameters), [](const Json& result) {
    return fmt::format(
        "Copied to {} there ({}).\n", text_at(result, "path"), bytes_at(result, "bytes_written"));
  });
  return 0;
}

int run(Session& session) {
  const auto from = place_of(session.arguments().operands.at(0));
  const auto to = place_of(session.arguments().operands.at(1));
  if (!from.is_inside && !to.is_inside) {
    throw Error(ErrorCode::usage, "'{}' and '{}' are both on this machine", from.path, to.path)
        .with_hint("write a colon before the path inside: pyro cp FILE :FILE, pyro cp :FILE FILE");
  }
  if (from.is_inside && to.is_inside) {
    return copy_between(session, from, to);
  }
  auto parameters = where(session, from.is_inside ? from : to);
  if (to.is_inside) {
    parameters["source_path"] = from.path;
    parameters["path"] = to.path;
    session.conclude(session.call("copy_in", parameters), [](const Json& result) {
      return fmt::format(
          "Copied to {} inside ({}).\n", text_at(result, "path"), bytes_at(result, "bytes_written"));
    });
    return 0;
  }
  parameters["path"] = from.path;
  parameters["output_path"] = to.path;
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
    .summary = "Copy files into a workspace, out of it, or between two",
    .page = cp_command::k_page,
    .run = cp_command::run,
    .operands = cp_command::k_operands,
};

} // namespace pyro::cli
