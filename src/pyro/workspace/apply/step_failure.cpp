#include "step_failure.hpp"

#include <pyro/base/units.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>

namespace pyro::workspace {

namespace {

std::string reason_of(const spec::Step& step, const protocol::ExecResult& result) {
  if (result.timed_out) {
    return fmt::format("did not end within {}", format_duration(step.timeout));
  }
  if (!result.stopped_by.empty()) {
    return "was " + result.stderr_note;
  }
  if (!result.stderr_note.empty()) {
    return "could not be started: " + result.stderr_note;
  }
  return fmt::format("failed with exit code {}", result.exit_code);
}

} // namespace

Error step_failure(const spec::Step& step, const protocol::ExecResult& result) {
  if (result.oom_note.empty()) {
    return {ErrorCode::failed, "the step {} {}", step.id, reason_of(step, result)};
  }
  Error error(ErrorCode::failed, "{}", memory_sentence(result, "the step " + step.id));
  return error.add_context(fmt::format("exit code {}", result.exit_code));
}

} // namespace pyro::workspace
