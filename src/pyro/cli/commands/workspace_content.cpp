// workspace sync push, workspace export, workspace diff.
#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/operations/text.hpp>

#include <filesystem>

namespace pyro::cli {

namespace workspace_content_command {

namespace {

using operations::escape_controls;

constexpr std::string_view k_push_page = R"(
Brings a directory or archive (.tar, .tar.gz, .tgz, .tar.zst) of this machine into a started workspace: all of it or, if
anything is wrong, nothing. Files of the same name are replaced, other files stay. New files belong to the workspace's
user. A push is no command: it is not counted or logged, and the seed stays what it was.

Examples:
  pyro workspace sync push ab12 ./src --dest /workspace/src
  pyro workspace sync push ab12 build.tar.zst
)";

constexpr std::string_view k_export_page = R"(
Copies a file or directory of /workspace to exactly the given path, which must not exist yet. A directory's content gets
no extra level; symlinks stay symlinks; FIFOs, sockets and devices are left out. Works on a stopped workspace too.

Examples:
  pyro workspace export ab12 dist --output ./dist
  pyro workspace export ab12 /workspace/report.html --output report.html
)";

constexpr std::string_view k_diff_page = R"(
Prints what is different in /workspace since the workspace was created, as one unified diff that `git apply` takes;
whatever was reset or pushed since. What is no text (binary files, symlinks, empty directories) is told on standard error
and with --names or --json.

Examples:
  pyro workspace diff ab12 | git apply
  pyro workspace diff ab12 --names
)";

constexpr std::array k_push_operands{
    k_workspace_operand, Operand{"PATH", Count::one, "A directory or archive of this machine"}};
constexpr std::array k_push_options{
    Option{"--dest", "", "DIR", "Directory in /workspace, made where it is missing; default: /workspace"}};
constexpr std::array k_export_operands{
    k_workspace_operand, Operand{"PATH", Count::one, "In /workspace; relative ones start there"}};
constexpr std::array k_export_options{
    Option{"--output", "-o", "PATH", "What it becomes here; must not exist yet"}};
constexpr std::array k_diff_options{
    Option{"--names", "", "", "Only which files: A added, M modified, D deleted, T another type"}};

std::string left_out(const Json& result) {
  const auto count = int_or(result, "left_out", 0);
  return count == 0 ? "" : fmt::format("; {} left out (no file, directory or symlink)", count);
}

int run_push(Session& session) {
  auto parameters = by_id(session);
  parameters["source_path"] = session.arguments().operands.at(1);
  take_text(session, "dest", parameters);
  session.conclude(session.call("workspace_sync_push", parameters), [](const Json& result) {
    const auto& sync = value_at(result, "workspace_sync");
    return fmt::format(
        "Pushed {} ({} bytes) to {}{}.\n", counted(get_int(sync, "entry_count"), "entry", "entries"),
        get_int(sync, "bytes_written"), escape_controls(get_string(sync, "destination")), left_out(sync));
  });
  return 0;
}

int run_export(Session& session) {
  const auto output = session.arguments().value("output");
  if (output.empty()) {
    throw Error(ErrorCode::usage, "pyro workspace export needs --output PATH");
  }
  auto parameters = by_id(session);
  parameters["path"] = session.arguments().operands.at(1);
  parameters["output_path"] = std::filesystem::absolute(output).string();
  session.conclude(session.call("workspace_export", parameters), [](const Json& result) {
    return fmt::format(
        "Exported {} ({} bytes) to {}{}.\n", counted(get_int(result, "entry_count"), "entry", "entries"),
        get_int(result, "bytes_written"), escape_controls(get_string(result, "output_path")),
        left_out(result));
  });
  return 0;
}

int run_diff(Session& session) {
  const auto result = session.call("workspace_diff", by_id(session));
  const bool names = session.arguments().has("names");
  session.show(result, [&](const Json& diff) {
    return names ? render_diff(diff, session.out_style()) : render_diff_patch(diff, session.out_style());
  });
  if (session.format() == Format::text && !names) {
    auto text = render_diff_summary(result);
    text.pop_back(); // its newline
    session.note(text);
    for (const auto& line : patch_notes(result)) {
      session.note(line);
    }
  }
  return 0;
}

} // namespace

} // namespace workspace_content_command

constinit const Command k_workspace_sync_push{
    .name = "workspace sync push",
    .summary = "Bring a directory or archive into a started workspace",
    .page = workspace_content_command::k_push_page,
    .run = workspace_content_command::run_push,
    .options = workspace_content_command::k_push_options,
    .operands = workspace_content_command::k_push_operands,
    .takes = Takes::document,
};

constinit const Command k_workspace_export{
    .name = "workspace export",
    .summary = "Copy a file or directory out of a workspace",
    .page = workspace_content_command::k_export_page,
    .run = workspace_content_command::run_export,
    .options = workspace_content_command::k_export_options,
    .operands = workspace_content_command::k_export_operands,
    .takes = Takes::document,
};

constinit const Command k_workspace_diff{
    .name = "workspace diff",
    .summary = "What is different since the workspace was created",
    .page = workspace_content_command::k_diff_page,
    .run = workspace_content_command::run_diff,
    .options = workspace_content_command::k_diff_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

} // namespace pyro::cli
