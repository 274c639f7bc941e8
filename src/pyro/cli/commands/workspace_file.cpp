// workspace file list, read and write; workspace patch apply.
#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/read_input.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace workspace_file_command {

namespace {

using operations::escape_controls;

constexpr std::size_t k_most_content = 16 << 20;
constexpr std::size_t k_most_patch = 64 << 20;

constexpr std::string_view k_list_page = R"(
Lists a directory of /workspace (or tells about one file): size, name, and where a symlink leads. Works on a stopped
workspace too.

Examples:
  pyro workspace file list ab12
  pyro workspace file list ab12 src --recursive
)";

constexpr std::string_view k_read_page = R"(
Prints a file of /workspace, at most --max-chars characters of it. On a terminal control characters are escaped, elsewhere
every byte is as it is. Symlinks are followed as long as they stay inside /workspace. `pyro workspace export` copies
larger files.

Examples:
  pyro workspace file read ab12 src/main.py
  pyro workspace file read ab12 log.txt --max-chars 1000
)";

constexpr std::string_view k_write_page = R"(
Writes a whole file in /workspace at once: nobody ever sees half of it. A file that exists keeps its mode and owner;
missing directories are made. The content comes from --input FILE or from standard input.

Examples:
  echo hello | pyro workspace file write ab12 notes/today.txt
  pyro workspace file write ab12 config.json --input ./config.json
)";

constexpr std::string_view k_patch_page = R"(
Applies a unified diff, as `git diff` and `pyro workspace diff` write it, to /workspace. All of it is checked before
anything is written; if a single hunk does not apply nothing is changed. The patch comes from a file or from standard
input.

Examples:
  git diff | pyro workspace patch apply ab12
  pyro workspace patch apply ab12 fix.patch
)";

constexpr Operand k_path{"PATH", Count::one, "In /workspace; relative ones start there"};
constexpr std::array k_list_operands{
    k_workspace_operand, Operand{"PATH", Count::optional, "Default: /workspace"}};
constexpr std::array k_file_operands{k_workspace_operand, k_path};
constexpr std::array k_patch_operands{
    k_workspace_operand, Operand{"FILE", Count::optional, "Default: standard input"}};
constexpr std::array k_list_options{
    Option{"--recursive", "-r", "", "With everything below"},
    Option{"--limit", "", "N", "The most that are listed; default: 100000"},
    Option{"--cursor", "", "CURSOR", "Only what comes behind the list that said so"}};
constexpr std::array k_read_options{
    Option{"--max-chars", "", "N", "The most that is read; default: 65536"},
    Option{"--cursor", "", "N", "Where to begin, in bytes; default: 0"}};
constexpr std::array k_write_options{Option{"--input", "", "FILE", "Default: standard input"}};

Json about_file(const Session& session) {
  auto parameters = by_id(session);
  parameters["path"] = session.arguments().operands.at(1);
  return parameters;
}

std::string render_listing(const Json& result) {
  std::string text;
  for (const auto& entry : value_at(result, "entries")) {
    const auto type = get_string(entry, "artifact_type");
    const auto target = maybe_string(entry, "link_target");
    const auto size = maybe_int(entry, "size_bytes");
    text += fmt::format(
        "{:>10}  {}{}{}\n",
        size              ? std::to_string(*size)
        : type == "other" ? "special"
                          : "-",
        escape_controls(get_string(entry, "path")), type == "directory" ? "/" : "",
        target ? " -> " + escape_controls(*target) : "");
  }
  return text;
}

int run_list(Session& session) {
  auto parameters = by_id(session);
  if (session.arguments().operands.size() > 1) {
    parameters["path"] = session.arguments().operands[1];
  }
  take_switch(session, "recursive", parameters);
  take_number(session, "limit", parameters);
  take_text(session, "cursor", parameters);
  const auto result = session.call("workspace_file_list", parameters);
  session.show(result, render_listing);
  if (session.format() == Format::text && get_bool(result, "truncated")) {
    const auto next = maybe_string(result, "next_cursor");
    session.note(
        "there are more files than are listed; name a directory"
        + (next ? ", or go on with --cursor " + *next : ""));
  }
  return 0;
}

/// Lines as they are, everything else that could drive a terminal escaped.
std::string for_terminal(const std::string& content) {
  std::string text;
  for (std::size_t at = 0; at < content.size();) {
    const auto end = std::min(content.find('\n', at), content.size());
    text += escape_controls(std::string_view(content).substr(at, end - at));
    text += end < content.size() ? "\n" : "";
    at = end + 1;
  }
  return text;
}

int run_read(Session& session) {
  auto parameters = about_file(session);
  take_number(session, "max-chars", parameters);
  take_number(session, "cursor", parameters);
  const auto result = session.call("workspace_file_read", parameters);
  session.show(result, [&](const Json& file) {
    auto content = get_string(file, "content");
    if (get_string(file, "encoding") == "base64") {
      content = base64_decode(content);
    }
    return session.console().out_terminal ? for_terminal(content) : content;
  });
  if (session.format() == Format::text && get_bool(result, "truncated")) {
    session.note(fmt::format(
        "the file goes on: it has {} bytes; go on with --cursor {}", get_int(result, "size_bytes"),
        get_int(result, "next_cursor")));
  }
  return 0;
}

int run_write(Session& session) {
  auto parameters = about_file(session);
  parameters["content"] = base64_encode(read_input(session.arguments().value("input"), k_most_content));
  parameters["encoding"] = "base64";
  session.conclude(session.call("workspace_file_write", parameters), [](const Json& result) {
    return fmt::format(
        "{} {} ({} bytes).\n", get_bool(result, "created") ? "Created" : "Wrote",
        escape_controls(get_string(result, "path")), get_int(result, "bytes_written"));
  });
  return 0;
}

int run_patch(Session& session) {
  auto parameters = by_id(session);
  const auto& operands = session.arguments().operands;
  const auto patch = read_input(operands.size() > 1 ? operands[1] : "", k_most_patch);
  if (operations::to_utf8(patch) != patch) {
    throw Error(ErrorCode::invalid_argument, "the patch holds bytes that are no UTF-8")
        .with_hint("`pyro workspace sync push` brings files whatever they hold");
  }
  parameters["patch"] = patch;
  session.conclude(session.call("workspace_patch_apply", parameters), [](const Json& result) {
    const auto& summary = value_at(result, "summary");
    return fmt::format(
        "Patched {} files: {} added, {} modified, {} deleted.\n", get_int(summary, "total"),
        get_int(summary, "added"), get_int(summary, "modified"), get_int(summary, "deleted"));
  });
  return 0;
}

} // namespace

} // namespace workspace_file_command

constinit const Command k_workspace_file_list{
    .name = "workspace file list",
    .summary = "List files of a workspace",
    .page = workspace_file_command::k_list_page,
    .run = workspace_file_command::run_list,
    .options = workspace_file_command::k_list_options,
    .operands = workspace_file_command::k_list_operands,
    .alias = "workspace file ls",
    .takes = Takes::document,
};

constinit const Command k_workspace_file_read{
    .name = "workspace file read",
    .summary = "Print a file of a workspace",
    .page = workspace_file_command::k_read_page,
    .run = workspace_file_command::run_read,
    .options = workspace_file_command::k_read_options,
    .operands = workspace_file_command::k_file_operands,
    .takes = Takes::document,
};

constinit const Command k_workspace_file_write{
    .name = "workspace file write",
    .summary = "Write a file of a workspace",
    .page = workspace_file_command::k_write_page,
    .run = workspace_file_command::run_write,
    .options = workspace_file_command::k_write_options,
    .operands = workspace_file_command::k_file_operands,
    .takes = Takes::document,
};

constinit const Command k_workspace_patch_apply{
    .name = "workspace patch apply",
    .summary = "Apply a unified diff to a workspace",
    .page = workspace_file_command::k_patch_page,
    .run = workspace_file_command::run_patch,
    .operands = workspace_file_command::k_patch_operands,
    .takes = Takes::document,
};

} // namespace pyro::cli
