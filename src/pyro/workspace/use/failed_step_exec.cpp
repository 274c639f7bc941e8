#include "failed_step_exec.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/sandbox/failed_step.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>
#include <pyro/workspace/sandbox/refused_meanwhile.hpp>
#include <pyro/workspace/sandbox/step_secrets.hpp>
#include <pyro/workspace/state/kept_output.hpp>

namespace pyro::workspace {

namespace {

/// Ended however this is left; of a virtual machine the files are brought out before.
class RunningStep {
public:
  RunningStep(const Context& context, const FailedStepRoom& room, const FailedStep& step)
      : m_runtime(room.runtime()), m_generation(room.generation()),
        m_host_directories(step.sandbox.host_directories) {
    auto request = step.sandbox;
    request.spec.runtime_dir = m_runtime;
    request.spec.generation_dir = m_generation;
    request.spec.tied_to_starter = true;
    start_sandbox(context, context.backend_named(step.backend), request);
  }

  ~RunningStep() {
    try {
      mirror_upper_before_kill(m_runtime, m_generation, m_host_directories);
    } catch (const Error&) {
      // It has ended already: what it wrote is as its end has left it.
    }
    try {
      kill_sandbox(m_runtime);
    } catch (const Error&) {
      // It is tied to this process, and goes with it at the latest.
    }
  }

  RunningStep(const RunningStep&) = delete;
  RunningStep& operator=(const RunningStep&) = delete;

  std::unique_ptr<backend::ControlClient> connect() const { return connect_sandbox(m_runtime, "exec"); }

private:
  std::string m_runtime;
  std::string m_generation;
  std::vector<store::HostDirectory> m_host_directories;
};

protocol::ExecRequest
guest_request_of(const FailedStep& step, const ExecRequest& request, const ExecStreams& streams) {
  protocol::ExecRequest guest;
  guest.argv = request.argv;
  guest.cwd = request.cwd.empty() ? step.workdir : request.cwd;
  guest.user = request.user.empty() ? step.user : request.user;
  guest.env = request.env;
  for (const auto& [name, value] : step.env) {
    guest.env.emplace(name, value);
  }
  guest.wants_stdin = streams.in >= 0;
  if (request.tty) {
    guest.pty = protocol::TerminalSize{request.columns, request.rows};
  }
  guest.timeout_ms = request.timeout.count();
  return guest;
}

} // namespace

ExecResult exec_in_failed_step(
    Context& context, const Project& project, const ExecRequest& request, const ExecStreams& streams) {
  const auto loaded = load_project(context, project);
  const FailedStepRoom room(context, loaded.identity);
  const auto lock = room.lock("exec --failed");
  const auto step = room.read();
  for (const auto& layer : step.sandbox.layers) {
    if (!context.layers.find(layer)) {
      throw Error(ErrorCode::not_found, "what the failed step stood on was pruned")
          .with_hint("`pyro apply` builds it again");
    }
  }
  const RunningStep running(context, room, step);
  const auto client = running.connect();
  auto guest = guest_request_of(step, request, streams);
  ProjectSecrets values(context, loaded, std::nullopt);
  const auto redactor = give_step_secrets(*client, loaded, values, step.secrets, step.user, guest.env);
  RedactedStream out(redactor);
  RedactedStream err(redactor);
  using protocol::FrameType;
  OutputKeeper keeper(context.base, request.shown_output.value_or(0));
  const auto pass_on = [&](FrameType type, const std::string& text) {
    if (request.shown_output) {
      keeper.add(type == FrameType::data_err ? OutputStream::err : OutputStream::out, text);
    }
    write_output(streams, type, text);
  };
  const RefusedMeanwhile refused(*client, egress_kind(step.sandbox.spec.egress_rules));
  auto result = run_with_output(
      *client, guest, streams.in,
      [&](FrameType type, std::string_view bytes) {
        pass_on(type, (type == FrameType::data_err ? err : out).add(bytes));
      },
      request.poll_control);
  pass_on(FrameType::data_out, out.finish());
  pass_on(FrameType::data_err, err.finish());
  result.refused = refused.so_far(redactor);
  result.refusal_text = refusal_text(result.refused);
  result.output_id = keeper.finish();
  result.note = redactor.redact(result.note);
  return result;
}

} // namespace pyro::workspace
