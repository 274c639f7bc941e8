// Whether what an ended command wrote is still on its way through filters of its own, as in `exec > >(sed
// …)`. Processes that merely keep its output open, in the background, are no concern of this.
#pragma once

#include <sys/types.h>

#include <compare>
#include <optional>
#include <vector>

namespace pyro::agent {

/// A pipe, whoever has it open.
struct PipeId {
  dev_t device = 0;
  ino_t inode = 0;

  auto operator<=>(const PipeId&) const = default;
};

/// Nothing where the descriptor is no pipe.
std::optional<PipeId> pipe_of(int fd);

/// Of an ended command.
struct PipesOfCommand {
  pid_t session = 0;
  std::vector<PipeId> outputs;
  std::optional<PipeId> input; // reading what nobody sends any more is no filter's work
};

/// Who was forked a moment ago may still have both ends of the pipe it is going to read from.
enum class Forked { at_rest, just_now };

/// A process of the session has an output open for writing, and its standard input is a pipe that only such
/// processes, or nobody, can still write to: what it has left to write, it was given before the command
/// ended. With Forked::just_now, also one that has not come to rest and reads any pipe that nobody else
/// writes to.
bool is_in_flight(const PipesOfCommand& command, Forked forked);

} // namespace pyro::agent
