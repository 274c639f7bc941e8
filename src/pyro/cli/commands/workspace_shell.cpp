// `pyro workspace shell …`: shells for programs; people have `pyro attach`.
#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>

#include <cerrno>
#include <unistd.h>

namespace pyro::cli {

namespace workspace_shell_command {

namespace {

constexpr std::string_view k_open_page = R"(
Opens a terminal that lives on in the workspace, and prints its id. Anybody may read and write it, from any process.

Examples:
  pyro workspace shell open my-workspace
  id=$(pyro workspace shell open my-workspace --id-only)
)";

constexpr std::string_view k_list_page = R"(
Examples:
  pyro workspace shell list my-workspace
)";

constexpr std::string_view k_read_page = R"(
Prints what the shell has written, from a position on. Reading does not consume: the same position gives the same output.
The position for the next read is in the line on standard error and in --json. On a terminal it is always --plain.

Examples:
  pyro workspace shell read my-workspace sh-1f2e3d4c --plain --wait-for-idle-ms 300
  pyro workspace shell read my-workspace sh-1f2e3d4c --cursor 4711 --json
)";

constexpr std::string_view k_write_page = R"(
Types into the shell: --input, else standard input. A newline is appended unless --no-newline is given.

Examples:
  pyro workspace shell write my-workspace sh-1f2e3d4c --input 'make test'
  printf 'y' | pyro workspace shell write my-workspace sh-1f2e3d4c --no-newline
)";

constexpr std::string_view k_signal_page = R"(
Sends HUP, INT, TERM or KILL to the shell and to what runs in its foreground.

Examples:
  pyro workspace shell signal my-workspace sh-1f2e3d4c
  pyro workspace shell signal my-workspace sh-1f2e3d4c --signal KILL
)";

constexpr std::string_view k_resize_page = R"(
Examples:
  pyro workspace shell resize my-workspace sh-1f2e3d4c --cols 200 --rows 50
)";

constexpr std::string_view k_close_page = R"(
Ends the shell and all that was started in it.

Examples:
  pyro workspace shell close my-workspace sh-1f2e3d4c
)";

constexpr std::size_t k_most_input = 128 << 10;

constexpr std::array k_one_shell{k_workspace_operand, Operand{"SHELL", Count::one, "Its id"}};

constexpr std::array k_open_options{
    k_cwd,
    k_env,
    k_secret_env,
    Option{"--cols", "", "N", "Width; default: 120"},
    Option{"--rows", "", "N", "Height; default: 30"},
    k_id_only};

constexpr std::array k_read_options{
    Option{"--cursor", "", "N", "Where to begin; default: 0, its opening"},
    Option{"--max-chars", "", "N", "Default: 65536"}, Option{"--plain", "", "", "Without control sequences"},
    Option{"--wait-for-idle-ms", "", "N", "Answer when nothing was written for so long"}};

constexpr std::array k_write_options{
    Option{"--input", "", "TEXT", "Default: standard input"}, Option{"--no-newline", "", "", "Append none"}};

constexpr std::array k_signal_options{Option{"--signal", "", "NAME", "Default: INT", "HUP|INT|TERM|KILL"}};

constexpr std::array k_resize_options{
    Option{"--cols", "", "N", "Width; default: as it is"},
    Option{"--rows", "", "N", "Height; default: as it is"}};

Json by_shell(const Session& session) {
  auto parameters = by_id(session);
  parameters["shell_id"] = session.arguments().operands.at(1);
  return parameters;
}

std::string sentence(const Json& shell) {
  const auto exit_code = maybe_int(shell, "exit_code");
  return fmt::format(
      "{} {}{}, {}x{}, output up to {}\n", get_string(shell, "shell_id"), get_string(shell, "state"),
      exit_code ? fmt::format(" with {}", *exit_code) : "", get_int(shell, "cols"), get_int(shell, "rows"),
      get_int(shell, "next_cursor"));
}

std::string read_input() {
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() <= k_most_input) {
    const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0) {
      const int error = errno;
      throw Error::from_errno(error, "read standard input");
    }
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  throw Error(ErrorCode::invalid_argument, "more than {} bytes are too many for one write", k_most_input);
}

int run_open(Session& session) {
  auto parameters = by_id(session);
  take_text(session, "cwd", parameters);
  take_pairs(session, "env", "env", parameters);
  if (const auto wanted = secret_env_of(session); !wanted.empty()) {
    parameters["secret_env"] = wanted;
  }
  take_number(session, "cols", parameters);
  take_number(session, "rows", parameters);
  show_made(session, session.call("shell_open", parameters), "shell_id", [](const Json& shell) {
    return get_string(shell, "shell_id") + "\n";
  });
  return 0;
}

int run_list(Session& session) {
  session.show(session.call("shell_list", by_id(session)), [](const Json& result) {
    std::string text;
    for (const auto& shell : value_at(result, "shells")) {
      text += sentence(shell);
    }
    return text;
  });
  return 0;
}

int run_read(Session& session) {
  auto parameters = by_shell(session);
  take_number(session, "cursor", parameters);
  take_number(session, "max-chars", parameters);
  take_switch(session, "plain", parameters);
  if (session.format() == Format::text && session.console().out_terminal) {
    parameters["plain"] = true; // what a guest wrote does not drive the terminal of who looks at it
  }
  take_number(session, "wait-for-idle-ms", parameters);
  const auto result = session.call("shell_read", parameters);
  session.show(result, [](const Json& read) { return get_string(read, "output"); });
  if (session.format() == Format::text) {
    const auto dropped = get_int(result, "dropped_bytes");
    session.note(fmt::format(
        "[{} {}; next cursor {}{}{}]", get_string(result, "shell_id"), get_string(result, "state"),
        get_int(result, "next_cursor"), get_bool(result, "truncated") ? "; there is more" : "",
        dropped > 0 ? fmt::format("; {} bytes before were dropped", dropped) : ""));
  }
  return 0;
}

int run_write(Session& session) {
  auto parameters = by_shell(session);
  parameters["input"] = session.arguments().has("input") ? session.arguments().value("input") : read_input();
  parameters["append_newline"] = !session.arguments().has("no-newline");
  session.conclude(session.call("shell_write", parameters), [](const Json& written) {
    return fmt::format("{} bytes to {}\n", get_int(written, "input_length"), get_string(written, "shell_id"));
  });
  return 0;
}

int run_signal(Session& session) {
  auto parameters = by_shell(session);
  take_text(session, "signal", parameters);
  session.conclude(session.call("shell_signal", parameters), sentence);
  return 0;
}

/// A side that was not given stays as it is.
void keep_other_side(Session& session, const std::string& shell_id, Json& parameters) {
  const auto list = session.call("shell_list", by_id(session));
  for (const auto& shell : value_at(list, "shells")) {
    if (get_string(shell, "shell_id") == shell_id) {
      for (const auto* side : {"cols", "rows"}) {
        parameters.emplace(side, get_int(shell, side));
      }
    }
  }
}

int run_resize(Session& session) {
  auto parameters = by_shell(session);
  take_number(session, "cols", parameters);
  take_number(session, "rows", parameters);
  if (!parameters.contains("cols") && !parameters.contains("rows")) {
    throw Error(ErrorCode::usage, "nothing to change").with_hint("--cols, --rows or both");
  }
  if (!parameters.contains("cols") || !parameters.contains("rows")) {
    keep_other_side(session, get_string(parameters, "shell_id"), parameters);
  }
  session.conclude(session.call("shell_resize", parameters), sentence);
  return 0;
}

int run_close(Session& session) {
  session.conclude(session.call("shell_close", by_shell(session)), [](const Json& closed) {
    return fmt::format("Closed {}.\n", get_string(closed, "shell_id"));
  });
  return 0;
}

} // namespace

} // namespace workspace_shell_command

constinit const Command k_workspace_shell_open{
    .name = "workspace shell open",
    .summary = "Open a terminal that lives on",
    .page = workspace_shell_command::k_open_page,
    .run = workspace_shell_command::run_open,
    .options = workspace_shell_command::k_open_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_list{
    .name = "workspace shell list",
    .summary = "List the shells of a workspace",
    .page = workspace_shell_command::k_list_page,
    .run = workspace_shell_command::run_list,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_read{
    .name = "workspace shell read",
    .summary = "Print what a shell has written",
    .page = workspace_shell_command::k_read_page,
    .run = workspace_shell_command::run_read,
    .options = workspace_shell_command::k_read_options,
    .operands = workspace_shell_command::k_one_shell,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_write{
    .name = "workspace shell write",
    .summary = "Type into a shell",
    .page = workspace_shell_command::k_write_page,
    .run = workspace_shell_command::run_write,
    .options = workspace_shell_command::k_write_options,
    .operands = workspace_shell_command::k_one_shell,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_signal{
    .name = "workspace shell signal",
    .summary = "Send a signal to a shell",
    .page = workspace_shell_command::k_signal_page,
    .run = workspace_shell_command::run_signal,
    .options = workspace_shell_command::k_signal_options,
    .operands = workspace_shell_command::k_one_shell,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_resize{
    .name = "workspace shell resize",
    .summary = "Change the size of a shell's terminal",
    .page = workspace_shell_command::k_resize_page,
    .run = workspace_shell_command::run_resize,
    .options = workspace_shell_command::k_resize_options,
    .operands = workspace_shell_command::k_one_shell,
    .takes = Takes::document,
};

constinit const Command k_workspace_shell_close{
    .name = "workspace shell close",
    .summary = "End a shell",
    .page = workspace_shell_command::k_close_page,
    .run = workspace_shell_command::run_close,
    .operands = workspace_shell_command::k_one_shell,
    .takes = Takes::document,
};

} // namespace pyro::cli
