// `pyro attach`: our terminal on a shell that lives on.
#include <pyro/base/error.hpp>
#include <pyro/cli/attach.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/interrupts.hpp>

namespace pyro::cli {

namespace attach_command {

namespace {

constexpr std::string_view k_page = R"(
Joins this terminal with a shell of the workspace: the one that is named, else the newest that runs, else a new one.
Ctrl-] leaves; the shell and what runs in it go on, and the next `pyro attach` finds them. Several may be attached at once.
The last output is shown again first. For scripts there is `pyro workspace shell`.

Examples:
  pyro attach my-workspace
  pyro attach my-workspace sh-1f2e3d4c

Exit status: the shell's when it ends; 0 when you leave; 125 where pyro itself failed.
)";

constexpr std::array k_operands{
    k_workspace_operand, Operand{"SHELL", Count::optional, "Its id; default: the newest that runs"}};

int run(Session& session) {
  if (!session.console().in_terminal || !session.console().out_terminal) {
    throw Error(ErrorCode::usage, "attach needs a terminal")
        .with_hint("for scripts: pyro workspace shell open, write and read");
  }
  const auto& operands = session.arguments().operands;
  operations::ShellAttachRequest request;
  request.shell_id = operands.size() > 1 ? operands[1] : "";
  request.env["TERM"] = terminal_type(session);
  Json ended;
  const auto parting = on_our_terminal(session, {{"detach", true}}, [&](const Joined& joined) {
    request.columns = joined.columns;
    request.rows = joined.rows;
    request.poll_control = joined.poll_control;
    ended = session.engine().attach_shell(by_id(session), request, joined.streams);
  });
  if (parting == Parting::interrupted) {
    return 128 + interrupting_signal();
  }
  if (ended.is_null() || get_bool(ended, "detached")) {
    session.note("");
    session.note(
        ended.is_null()
            ? std::string("Left. The shell does not answer.")
            : fmt::format(
                "Left. The shell goes on: pyro attach {} {}", operands[0], get_string(ended, "shell_id")));
    return 0;
  }
  return static_cast<int>(maybe_int(ended, "exit_code").value_or(0));
}

} // namespace

} // namespace attach_command

constinit const Command k_attach{
    .name = "attach",
    .summary = "Join this terminal with a shell that lives on",
    .page = attach_command::k_page,
    .run = attach_command::run,
    .operands = attach_command::k_operands,
    .failures = Failures::exec,
    .takes = Takes::nothing,
};

} // namespace pyro::cli
