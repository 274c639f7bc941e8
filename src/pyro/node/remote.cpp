#include "remote.hpp"

#include "lease.hpp"
#include "shared_file.hpp"

#include <pyro/base/error.hpp>

namespace pyro::node {

namespace {

constexpr operations::ExecStreams k_no_streams{-1, -1, -1};

Error no_way(const place::Placed& placed, const std::string& words) {
  Error error(
      ErrorCode::unavailable, "{} on {} (job {}, node {}) cannot be reached{}{}",
      placed.name.empty() ? "the workspace" : placed.name, to_string(placed.place), placed.job_id,
      placed.node, words.empty() ? "" : ": ", words);
  return error.with_hint("its lease still runs: try again; a node that is gone is known to Slurm within its "
                         "SlurmdTimeout");
}

} // namespace

Json Remote::carry(Call call, const operations::ExecStreams& streams, Hooks hooks) {
  call.lock_timeout = m_manner.settings.lock_timeout;
  call.all_of_plan = m_manner.settings.plan_text == operations::PlanText::all;
  call.color = m_manner.callbacks.color;
  call.stream_output = m_manner.callbacks.stream_output;
  call.can_ask = static_cast<bool>(m_manner.callbacks.ask);
  hooks.ask = m_manner.callbacks.ask;
  hooks.events = m_manner.callbacks.events;
  try {
    if (!m_placed.ended.is_null()) {
      throw lost(m_placed);
    }
    if (!m_connection) {
      m_connection = std::make_unique<Connection>(m_placed.job_id, m_manner.program);
    }
    return m_connection->call(call, streams, hooks);
  } catch (const ConnectionLost& end) {
    m_connection.reset();
    if (look_at_lease(m_records, m_placed).phase == place::JobPhase::ended) {
      throw lost(m_placed);
    }
    throw no_way(m_placed, end.words);
  }
}

Json Remote::call(std::string_view operation, const Json& parameters, const std::string& shared_file) {
  Call call;
  if (!shared_file.empty()) {
    call.shared_file = describe_shared(shared_file);
  }
  call.operation = operation;
  call.parameters = parameters;
  Hooks hooks;
  hooks.interrupted = m_manner.callbacks.interrupted;
  return carry(std::move(call), k_no_streams, std::move(hooks));
}

operations::ExecResult Remote::exec(
    const Json& where, const operations::ExecRequest& request, const operations::ExecStreams& streams) {
  Call call;
  call.kind = CallKind::exec;
  call.parameters = where;
  call.request = to_json(request);
  Hooks hooks;
  hooks.poll_control = request.poll_control;
  return exec_result_from_json(carry(std::move(call), streams, std::move(hooks)));
}

Json Remote::attach(
    const Json& where, const operations::ShellAttachRequest& request,
    const operations::ExecStreams& streams) {
  Call call;
  call.kind = CallKind::shell;
  call.parameters = where;
  call.request = to_json(request);
  Hooks hooks;
  hooks.poll_control = request.poll_control;
  return carry(std::move(call), streams, std::move(hooks));
}

void Remote::logs(
    const Json& where, const operations::LogRequest& request, const operations::LineSink& line) {
  Call call;
  call.kind = CallKind::logs;
  call.parameters = where;
  call.request = to_json(request);
  Hooks hooks;
  hooks.line = line;
  hooks.interrupted = m_manner.callbacks.interrupted;
  carry(std::move(call), k_no_streams, std::move(hooks));
}

} // namespace pyro::node
