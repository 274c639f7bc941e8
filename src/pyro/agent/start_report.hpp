// Whether a child became the program that it was made for. It says so only where it did not; the agent waits
// for that a little, and no more: the kernel may take its time with a program that somebody inside holds back
// (a lease, fcntl(2)), and nobody else may have to wait for that.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/types.h>

#include <optional>
#include <string>

namespace pyro::agent {

enum class StartStage : int { memory, session, terminal, descriptors, user, directory, program };

/// What the child writes into its pipe before it ends.
struct StartReport {
  StartStage stage;
  int error;
};

/// What a shell would say: 127 where there is no such program, else 126.
int exit_code_of(const StartReport& report);

/// What the caller asked for, as far as an explanation names it.
struct StartNames {
  std::string program;
  std::string directory;
  std::string user;
};

std::string explain(const StartReport& report, const StartNames& names);

enum class Start { done, failed, under_way };

/// Waits for the pipe's other end to close or to say why not, for as long as may be: in all that is bounded.
Start await_start(int pipe, StartReport& report);

/// One that was under way when the agent went on: kept until somebody asks after its end.
void remember_start(pid_t child, os::Fd pipe, StartNames names);

/// Why a child that has ended never became its program; nullopt: it did, or nobody had to be asked.
std::optional<std::string> note_of_failed_start(pid_t child);

} // namespace pyro::agent
