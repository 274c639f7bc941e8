#include "logged_exec.hpp"

#include <pyro/base/bounded_text.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/sandbox/refused_meanwhile.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>
#include <pyro/workspace/state/command_log.hpp>
#include <pyro/workspace/state/kept_output.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace pyro::workspace {

namespace {

/// One stream of output on its way: without secrets to its reader, and the same for the log and into files.
class Stream {
public:
  Stream(const Redactor& redactor, OutputStream which)
      : m_redacted(redactor), m_kept(k_logged_output), m_which(which) {}

  /// From now on, which is the beginning.
  void keep_in(OutputKeeper& keeper) { m_keeper = &keeper; }

  std::string add(std::string_view bytes) { return keep(m_redacted.add(bytes)); }

  std::string finish() { return keep(m_redacted.finish()); }

  const BoundedText& kept() const { return m_kept; }

private:
  std::string keep(std::string text) {
    m_kept.add(text);
    if (m_keeper != nullptr) {
      m_keeper->add(m_which, text);
    }
    return text;
  }

  RedactedStream m_redacted;
  BoundedText m_kept;
  OutputKeeper* m_keeper = nullptr;
  OutputStream m_which;
};

/// The command has run: that it cannot be noted (a full disk, a workspace deleted meanwhile) does not change
/// its result. Returns its sequence number; 0: it is not there.
std::int64_t note_in_log(const Context& context, const CommandLog& log, const LoggedCommand& command) {
  try {
    return log.add(command);
  } catch (const Error& error) {
    context.emit("note", "", fmt::format("the command is not in the log: {}", error.what()));
    return 0;
  }
}

} // namespace

ExecResult run_logged(
    const Context& context, const store::WorkspacePaths& paths, const Running& running,
    const ExecRequest& request, const ExecStreams& streams) {
  using protocol::FrameType;
  const auto& record = running.record;
  const auto& client = running.client;
  const auto guest = guest_request(paths, record, request, streams);
  LiveRedactor secrets(*client, paths, record);
  const auto& redactor = secrets.now();
  const auto started_at = os::now_epoch();
  OutputKeeper keeper(
      context.base, std::min(request.shown_output.value_or(k_logged_output), k_logged_output));
  Stream out(redactor, OutputStream::out);
  Stream err(redactor, OutputStream::err);
  std::vector<std::pair<FrameType, std::string>> early; // came before all secrets were known
  bool is_redacted = false;
  auto last_output = os::now_monotonic();
  const auto poll_at_terminal = [&]() -> std::optional<Json> {
    if (os::now_monotonic() - last_output > k_show_after) {
      write_output(streams, FrameType::data_out, out.finish());
    }
    return request.poll_control ? request.poll_control() : std::nullopt;
  };
  const RefusedMeanwhile refused(*client, egress_kind(record.egress));
  const auto show = [&](FrameType type, std::string_view bytes) {
    last_output = os::now_monotonic();
    write_output(streams, type, (type == FrameType::data_err ? err : out).add(bytes));
  };
  auto result = run_with_output(
      *client, guest, streams.in,
      [&](FrameType type, std::string_view bytes) {
        if (is_redacted) {
          show(type, bytes);
        } else {
          early.emplace_back(type, bytes);
        }
      },
      request.tty ? poll_at_terminal : request.poll_control,
      [&] {
        secrets.await();
        if (!request.tty && secrets.complete()) {
          out.keep_in(keeper);
          err.keep_in(keeper);
        }
        is_redacted = true;
        for (const auto& [type, bytes] : std::exchange(early, {})) {
          show(type, bytes);
        }
      });
  write_output(streams, FrameType::data_out, out.finish());
  write_output(streams, FrameType::data_err, err.finish());
  result.refused = refused.so_far(redactor);
  result.refusal_text = refusal_text(result.refused);
  result.note = redactor.redact(result.note);
  result.execution_mode = record.execution_mode;
  result.workspace_id = record.id;
  result.cwd = redactor.redact(guest.cwd);
  if (request.tty) {
    return result;
  }
  LoggedCommand command;
  BoundedText text(k_logged_output);
  text.add(redactor.redact(request.script.empty() ? shell_text(request.argv) : request.script));
  command.command = text.text();
  command.cwd = result.cwd;
  command.exit_code = result.exit_code;
  if (secrets.complete()) {
    result.output_id = keeper.finish();
    command.output_id = result.output_id;
    command.out = out.kept().text();
    command.err = err.kept().text() + result.note;
  } else {
    command.err = "[output not kept: not all of its secrets are known, so they could not be taken out]";
  }
  command.out_truncated = out.kept().truncated() || !secrets.complete();
  command.err_truncated = err.kept().truncated() || !secrets.complete();
  command.duration_ms = result.duration_ms;
  command.execution_mode = result.execution_mode;
  command.started_at = started_at;
  result.command = command.command;
  result.sequence = note_in_log(context, CommandLog(paths, record), command);
  return result;
}

} // namespace pyro::workspace
