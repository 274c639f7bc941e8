#include "captured_exec.hpp"

#include "output_capture.hpp"
#include "output_events.hpp"
#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/workspace/execution.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace pyro::operations {

namespace {

constexpr std::int64_t k_default_output_limit = 1 << 20;
constexpr std::chrono::seconds k_grace{2};

/// What a command is sent once its caller does not want it any more: SIGINT, and SIGKILL where that did not
/// end it.
class GracefulEnd {
public:
  explicit GracefulEnd(std::function<bool()> wanted) : m_wanted(std::move(wanted)) {}

  std::optional<Json> next() {
    const auto now = std::chrono::steady_clock::now();
    if (!m_asked_at) {
      if (!m_wanted || !m_wanted()) {
        return std::nullopt;
      }
      m_asked_at = now;
      return Json{{"signal", "INT"}};
    }
    if (m_is_killed || now - *m_asked_at < k_grace) {
      return std::nullopt;
    }
    m_is_killed = true;
    return Json{{"signal", "KILL"}};
  }

  bool has_begun() const { return m_asked_at.has_value(); }

private:
  std::function<bool()> m_wanted;
  std::optional<std::chrono::steady_clock::time_point> m_asked_at;
  bool m_is_killed = false;
};

using workspace::OutputStream;

/// Where the answer leaves out something that is kept.
Json cursor_behind(
    const Context& context, const workspace::ExecResult& result, OutputStream stream,
    const OutputCapture& shown) {
  return shown.truncated()
             ? workspace::cursor_of_output(context.workspaces, result, stream, shown.beginning())
             : Json();
}

std::function<void(std::string_view)>
teller(const char* kind, const std::function<void(const workspace::Event&)>& sink) {
  if (!sink) {
    return {};
  }
  return [events = OutputEvents(kind, sink)](std::string_view piece) mutable {
    events.add(piece);
  };
}

Json refused_schema() {
  return list_of(
      result(
          {{"host", text("A name, or an address")},
           {"port", number("0: the name was not resolved")},
           {"protocol", text("tls, http, tcp, udp, dns, https")},
           {"reason", text("Why")},
           {"allow", text("The line of network.egress that is missing; empty: none would help")},
           {"count", number("How often")}}),
      "What network.egress refused meanwhile, to the command or others inside; absent: nothing");
}

} // namespace

Properties exec_result_properties() {
  return {
      {"exit_code", number("The command's; 124 timeout, 126 not executable, 127 not found, 128+N signal N")},
      {"stdout", text("What it wrote to standard output")},
      {"stderr", text("What it wrote to standard error")},
      {"stdout_truncated", flag("Is some of stdout left out?")},
      {"stderr_truncated", flag("Is some of stderr left out?")},
      {"stdout_cursor",
       or_null(text("For logs: what is left out of stdout, kept for a day; null: nothing is"))},
      {"stderr_cursor", or_null(text("The same of stderr"))},
      {"timed_out", flag("Was it ended for taking too long?")},
      {"oom_kills", number("Processes of the sandbox that were killed meanwhile for want of memory")},
      {"refused", refused_schema()},
      {"refused_more", number("How many more hosts there were")},
      {"duration_ms", number("How long it took")},
      {"execution_mode", text("sandbox, host_compat, …")},
      {"workspace_id", text("Not of VMs, nor are sequence, command and cwd")},
      {"sequence", or_null(number("In the workspace's log; null: it is not there"))},
      {"command", text("As the log has it")},
      {"cwd", text("Where it ran")},
      {"note", text("Why it could not be started, or was stopped")},
      {"stopped_by", text("disk_limit, disk_entries, disk_reserve, user_limit: what ended it")}};
}

Json run_captured(
    Context& context, const Json& given, workspace::ExecRequest request,
    const std::function<workspace::ExecResult(const workspace::ExecRequest&, const workspace::ExecStreams&)>&
        exec) {
  const auto end = std::make_shared<GracefulEnd>(context.interrupted);
  request.poll_control = [end] {
    return end->next();
  };
  const auto limit = static_cast<std::size_t>(int_or(given, "max_output_bytes", k_default_output_limit));
  request.shown_output = limit;
  const auto input = text_as_input(string_or(given, "stdin", ""));
  OutputCapture out(limit, teller("stdout", context.output));
  OutputCapture err(limit, teller("stderr", context.output));
  const auto outcome = exec(request, {.in = input.get(), .out = out.descriptor(), .err = err.descriptor()});
  out.finish();
  err.finish();
  if (end->has_begun()) {
    throw Error(ErrorCode::interrupted, "the command was ended, since its caller did not want it any more")
        .with_output(last_lines(to_utf8(out.text() + err.text())));
  }
  Json answer{
      {"exit_code", outcome.exit_code},
      {"stdout", to_utf8(out.text())},
      {"stderr", to_utf8(err.text())},
      {"stdout_truncated", out.truncated()},
      {"stderr_truncated", err.truncated()},
      {"timed_out", outcome.timed_out},
      {"oom_kills", outcome.oom_kills},
      {"duration_ms", outcome.duration_ms},
      {"execution_mode", outcome.execution_mode},
      {"stdout_cursor", cursor_behind(context, outcome, OutputStream::out, out)},
      {"stderr_cursor", cursor_behind(context, outcome, OutputStream::err, err)}};
  if (!outcome.workspace_id.empty()) {
    answer["workspace_id"] = outcome.workspace_id;
    answer["sequence"] = outcome.sequence > 0 ? Json(outcome.sequence) : Json();
    answer["command"] = to_utf8(outcome.command);
    answer["cwd"] = to_utf8(outcome.cwd);
  }
  if (!outcome.note.empty()) {
    answer["note"] = outcome.note;
  }
  if (!outcome.refused.list.empty()) {
    answer["refused"] = outcome.refused.list;
    answer["refused_more"] = outcome.refused.more;
  }
  if (!outcome.stopped_by.empty()) {
    answer["stopped_by"] = outcome.stopped_by;
  }
  return answer;
}

} // namespace pyro::operations
