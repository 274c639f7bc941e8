#include <pyro/base/error.hpp>
#include <pyro/cli/attach.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_vm.hpp>
#include <pyro/cli/vm_flags.hpp>

namespace pyro::cli {

namespace vm_command {

namespace {

constexpr std::string_view k_create_page = R"(
Makes a one-shot VM: a sandbox of its own on an image, for one command. It is not started yet; `pyro run` does all of
it in one.

Examples:
  id=$(pyro vm create debian:12 --id-only)
  pyro vm create host --mem-mib 2048 --network-policy egress --name fetch
)";

constexpr std::string_view k_start_page = R"(
Starts a VM, so that it can run its command.

Examples:
  pyro vm start 3f9a
)";

constexpr std::string_view k_exec_page = R"(
Runs the one command of a started VM, passes its output and exit status through, and removes the VM.

Examples:
  pyro vm exec 3f9a -- make test
  pyro vm exec fetch --timeout-seconds 300 -- sh -c 'ls /etc | wc -l'

Exit status: the command's; 124 its time is over, 125 pyro itself failed, 126 not executable, 127 not found,
128+N killed by signal N (Ctrl-C: 130).
)";

constexpr std::string_view k_stop_page = R"(
Ends whatever runs in a VM. It stays until it is deleted or its time is over.

Examples:
  pyro vm stop 3f9a
)";

constexpr std::string_view k_delete_page = R"(
Removes a VM with whatever runs in it.

Examples:
  pyro vm delete 3f9a
)";

constexpr std::string_view k_status_page = R"(
Shows a VM: its state, size, network and when its time is over. One whose time is over is deleted.

Examples:
  pyro vm status 3f9a
  pyro vm status fetch --json | jq -r .guest_ip
)";

constexpr std::string_view k_network_page = R"(
Tells whether a VM has a network beyond itself, and its address there.

Examples:
  pyro vm network-info 3f9a
)";

constexpr std::string_view k_list_page = R"(
Lists the one-shot VMs of this user. Workspaces: `pyro workspace list`.

Examples:
  pyro vm list
)";

constexpr std::string_view k_reap_page = R"(
Removes the VMs whose time is over, started or not.

Examples:
  pyro vm reap
)";

constexpr std::array k_one_vm{Operand{"VM", Count::one, "Its id, a unique part of its beginning, or name"}};

Json vm_of(const Session& session) {
  return {{"vm_id", session.arguments().operands.front()}};
}

int show_vm(Session& session, const Json& vm) {
  session.show(vm, [&](const Json& shown) { return render_vm(shown, session.out_style(), epoch_now()); });
  return 0;
}

int run_create(Session& session) {
  show_made(session, session.call("vm_create", vm_parameters_of(session)), "vm_id", [&](const Json& vm) {
    return render_vm(vm, session.out_style(), epoch_now());
  });
  return 0;
}

int conclude(Session& session, std::string_view operation, std::string_view what) {
  session.conclude(session.call(operation, vm_of(session)), [&](const Json& vm) {
    return fmt::format("{} {}.\n", what, string_or(vm, "vm_id", ""));
  });
  return 0;
}

int run_start(Session& session) {
  return conclude(session, "vm_start", "Started");
}

int run_stop(Session& session) {
  return conclude(session, "vm_stop", "Stopped");
}

int run_delete(Session& session) {
  return conclude(session, "vm_delete", "Deleted");
}

int run_exec(Session& session) {
  return exec_in_vm(session, "vm_exec", vm_of(session));
}

int run_status(Session& session) {
  return show_vm(session, session.call("vm_status", vm_of(session)));
}

int run_network(Session& session) {
  session.show(session.call("vm_network_info", vm_of(session)), render_vm_network);
  return 0;
}

int run_list(Session& session) {
  session.show(session.call("vm_list", Json::object()), [&](const Json& result) {
    return render_vm_list(result, session.out_style(), epoch_now());
  });
  return 0;
}

int run_reap(Session& session) {
  session.conclude(session.call("vm_reap", Json::object()), [](const Json& result) {
    const auto count = int_or(result, "count", 0);
    return count == 0 ? std::string("Nothing to remove.\n")
                      : fmt::format("Removed {} VM{}.\n", count, count == 1 ? "" : "s");
  });
  return 0;
}

} // namespace

} // namespace vm_command

constinit const Command k_vm_create{
    .name = "vm create",
    .summary = "Make a one-shot VM",
    .page = vm_command::k_create_page,
    .run = vm_command::run_create,
    .options = k_vm_create_options,
    .operands = k_vm_environment,
    .takes = Takes::document,
};

constinit const Command k_vm_start{
    .name = "vm start",
    .summary = "Start a VM",
    .page = vm_command::k_start_page,
    .run = vm_command::run_start,
    .operands = vm_command::k_one_vm,
    .takes = Takes::document,
};

constinit const Command k_vm_exec{
    .name = "vm exec",
    .summary = "Run the one command of a VM, then remove it",
    .page = vm_command::k_exec_page,
    .run = vm_command::run_exec,
    .options = k_vm_exec_options,
    .operands = vm_command::k_one_vm,
    .trailing = Trailing::program,
    .failures = Failures::exec,
    .takes = Takes::document,
};

constinit const Command k_vm_stop{
    .name = "vm stop",
    .summary = "Stop a VM",
    .page = vm_command::k_stop_page,
    .run = vm_command::run_stop,
    .operands = vm_command::k_one_vm,
    .takes = Takes::document,
};

constinit const Command k_vm_delete{
    .name = "vm delete",
    .summary = "Remove a VM",
    .page = vm_command::k_delete_page,
    .run = vm_command::run_delete,
    .operands = vm_command::k_one_vm,
    .takes = Takes::document,
};

constinit const Command k_vm_status{
    .name = "vm status",
    .summary = "Show a VM",
    .page = vm_command::k_status_page,
    .run = vm_command::run_status,
    .operands = vm_command::k_one_vm,
    .takes = Takes::document,
};

constinit const Command k_vm_network_info{
    .name = "vm network-info",
    .summary = "Show the network of a VM",
    .page = vm_command::k_network_page,
    .run = vm_command::run_network,
    .operands = vm_command::k_one_vm,
    .takes = Takes::document,
};

constinit const Command k_vm_list{
    .name = "vm list",
    .summary = "List the VMs",
    .page = vm_command::k_list_page,
    .run = vm_command::run_list,
    .alias = "vm ls",
    .takes = Takes::document,
};

constinit const Command k_vm_reap{
    .name = "vm reap",
    .summary = "Remove expired VMs",
    .page = vm_command::k_reap_page,
    .run = vm_command::run_reap,
    .takes = Takes::document,
};

} // namespace pyro::cli
