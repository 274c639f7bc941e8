// What every supervisor program does: reads one LaunchSpec as JSON from standard input, starts the sandbox,
// writes one line of JSON ({"launched": ...} or {"error": ...}) to standard output, lets go of both and
// serves. Started by a backend only.
#pragma once

#include <pyro/supervisor/supervisor.hpp>

#include <functional>

namespace pyro::supervisor {

/// main(): `serve` launches what the description says and calls supervise().
int run_program(const std::function<void(const backend::LaunchSpec& spec)>& serve);

/// What is made on this machine for the sandbox, for cleaning up should this process be killed.
void note_kernel_objects(
    const backend::LaunchSpec& spec, const std::vector<std::string>& cgroups, int sandbox_pid);

/// Tells the starter that the sandbox is up, and serves until it ends.
void supervise(
    const backend::LaunchSpec& spec, std::unique_ptr<Guest> guest, Json timings,
    std::vector<std::string> notes);

} // namespace pyro::supervisor
