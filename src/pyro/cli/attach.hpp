// Our terminal joined with one inside the workspace: a command's own (`pyro shell`, `pyro exec -t`) or that
// of a shell which lives on (`pyro attach`).
#pragma once

#include "session.hpp"

namespace pyro::cli {

/// What the other side is given while our terminal is in raw mode.
struct Joined {
  operations::ExecStreams streams;
  int columns = 80;
  int rows = 24;
  std::function<std::optional<Json>()> poll_control;
};

enum class Parting {
  ended,       // the other side has ended
  detached,    // Ctrl-]
  interrupted, // a signal asked us to end
};

/// Raw mode, window size and Ctrl-] (leave) while `run` runs; the terminal is put back however it ends. On
/// leaving, the other side is sent `leave`; one that then does not let go of us within 3 s is left alone.
Parting on_our_terminal(Session& session, const Json& leave, const std::function<void(const Joined&)>& run);

/// TERM, for processes on the other side.
std::string terminal_type(Session& session);

/// Raw mode, window size and Ctrl-] (leave) while the command runs; returns its exit status.
int attach(Session& session, operations::ExecRequest request);

/// SIGINT, SIGTERM and SIGHUP of ours become the command's, once; the second Ctrl-C ends us (interrupts.hpp).
std::function<std::optional<Json>()> signals_forwarder();

/// The exit status of a finished exec; says what could not be started.
int exit_status_of_result(Session& session, const operations::ExecResult& result);

} // namespace pyro::cli
