#include "captured_exec.hpp"

#include "output_capture.hpp"
#include "text.hpp"

namespace pyro::operations {

namespace {

constexpr std::int64_t k_default_output_limit = 1 << 20;

} // namespace

Properties exec_result_properties() {
  return {
      {"exit_code", number("The command's; 124 timeout, 126 not executable, 127 not found, 128+N signal N")},
      {"stdout", text("")},
      {"stderr", text("")},
      {"stdout_truncated", flag("")},
      {"stderr_truncated", flag("")},
      {"timed_out", flag("")},
      {"oom_kills", number("Processes of the sandbox that were killed meanwhile for want of memory")},
      {"duration_ms", number("")},
      {"execution_mode", text("sandbox, host_compat, …")},
      {"note", text("Why it could not be started, or was stopped")},
      {"stopped_by", text("disk_limit, disk_entries, disk_reserve: a limit of the workspace ended it")}};
}

Json run_captured(
    Context& context, const Json& given, workspace::ExecRequest request,
    const std::function<workspace::ExecResult(const workspace::ExecRequest&, const workspace::ExecStreams&)>&
        exec) {
  bool signalled = false;
  request.poll_control = [&]() -> std::optional<Json> {
    if (!signalled && context.interrupted && context.interrupted()) {
      signalled = true;
      return Json{{"signal", "INT"}};
    }
    return std::nullopt;
  };
  const auto limit = static_cast<std::size_t>(int_or(given, "max_output_bytes", k_default_output_limit));
  const auto input = text_as_input(string_or(given, "stdin", ""));
  OutputCapture out(limit);
  OutputCapture err(limit);
  const auto outcome = exec(request, {.in = input.get(), .out = out.descriptor(), .err = err.descriptor()});
  out.finish();
  err.finish();
  Json answer{{"exit_code", outcome.exit_code},          {"stdout", to_utf8(out.text())},
              {"stderr", to_utf8(err.text())},           {"stdout_truncated", out.truncated()},
              {"stderr_truncated", err.truncated()},     {"timed_out", outcome.timed_out},
              {"oom_kills", outcome.oom_kills},          {"duration_ms", outcome.duration_ms},
              {"execution_mode", outcome.execution_mode}};
  if (!outcome.note.empty()) {
    answer["note"] = outcome.note;
  }
  if (!outcome.stopped_by.empty()) {
    answer["stopped_by"] = outcome.stopped_by;
  }
  return answer;
}

} // namespace pyro::operations
