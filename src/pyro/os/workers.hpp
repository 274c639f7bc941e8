// Many pieces of work at once, in child processes: libraries here are not made for threads, and a process is
// what a crash cannot spread from.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace pyro::os {

/// What became of one piece: a result or an error.
struct WorkDone {
  nlohmann::json result;
  std::optional<Error> error;
};

/// Does work(0) … work(count - 1), `width` at a time, each in one of `width` children of this process that
/// take the next piece when they are done with one; with `width` 1 in this process. Children die with their
/// parent. The work must not depend on changing the memory of the caller. Who asks to stop (interruption.hpp)
/// is heard in the children too: pieces that were not begun then fail with `interrupted`.
std::vector<WorkDone> work_in_children(
    std::size_t count, std::size_t width, const std::function<nlohmann::json(std::size_t)>& work);

} // namespace pyro::os
