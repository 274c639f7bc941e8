// A program of ours that helps a program which may be anybody's, with threads: started without a fork, known
// by a pidfd, and never waited for without an end. For all other programs: process.hpp.
#pragma once

#include "fd.hpp"
#include "program_environment.hpp"

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace pyro::os {

/// Move-only owner of a child process.
class HelperProcess {
public:
  HelperProcess() = default;

  /// posix_spawn(3): handlers of pthread_atfork(3) do not run, and no page of ours is copied. In a session of
  /// its own, with no signal blocked or ignored, and with these descriptors alone: {number in it, ours}.
  static HelperProcess
  start(const std::string& program, const Variables& variables, const std::vector<std::pair<int, int>>& fds);

  HelperProcess(HelperProcess&&) noexcept = default;
  HelperProcess& operator=(HelperProcess&&) noexcept = default;

  /// It has been told to end: waits, kills it when the time is over, and reaps it. Somebody else may have
  /// reaped it.
  void end(std::chrono::milliseconds patience);

private:
  Fd m_pidfd;
};

} // namespace pyro::os
