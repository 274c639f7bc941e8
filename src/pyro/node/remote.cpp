#include "remote.hpp"

#include "copying.hpp"
#include "lease.hpp"
#include "shared_file.hpp"
#include "workspace_streams.hpp"

#include <pyro/base/error.hpp>
#include <pyro/ports/port_forwarder.hpp>
#include <pyro/protocol/call.hpp>

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

void Remote::ask_slurm(bool is_begun) {
  const auto job = look_at_lease(m_records, m_placed);
  if (job.phase == place::JobPhase::ended) {
    throw lost(m_placed);
  }
  if (job.is_suspended() && !is_begun) { // what has begun goes on once the job does
    throw Error(
        ErrorCode::unavailable, "{} cannot be used: Slurm has suspended its lease on {} (job {}, node {})",
        m_placed.name, to_string(m_placed.place), m_placed.job_id, m_placed.node);
  }
}

/// Says what became of the lease.
void Remote::throw_lost(const ConnectionLost& end) {
  m_connection.reset();
  if (look_at_lease(m_records, m_placed).phase == place::JobPhase::ended) {
    throw lost(m_placed);
  }
  throw no_way(m_placed, end.words);
}

Json Remote::carry(Call call, const operations::ExecStreams& streams, Hooks hooks) {
  call.lock_timeout = m_manner.settings.lock_timeout;
  call.all_of_plan = m_manner.settings.plan_text == operations::PlanText::all;
  call.color = m_manner.callbacks.color;
  call.stream_output = m_manner.callbacks.stream_output;
  call.can_ask = static_cast<bool>(m_manner.callbacks.ask);
  hooks.ask = m_manner.callbacks.ask;
  hooks.events = m_manner.callbacks.events;
  hooks.unanswered = [this](bool is_begun) {
    ask_slurm(is_begun);
  };
  try {
    if (!m_placed.ended.is_null()) {
      throw lost(m_placed);
    }
    if (!m_connection) {
      m_connection = std::make_unique<Connection>(m_placed.job_id, m_manner.program);
    }
    return m_connection->call(call, streams, hooks);
  } catch (const ConnectionLost& end) {
    throw_lost(end);
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

Json Remote::copy(std::string_view operation, const Json& parameters, const std::string& notes) {
  const auto carry_copy = [this](Call call, const operations::ExecStreams& streams) {
    Hooks hooks;
    hooks.interrupted = m_manner.callbacks.interrupted;
    return carry(std::move(call), streams, std::move(hooks));
  };
  return operation == "copy_in"
             ? copy_to_node(m_placed.workspace_id, parameters, carry_copy)
             : copy_from_node(m_placed.workspace_id, parameters, operation == "copy_out", notes, carry_copy);
}

void Remote::forward(
    const Json& where, const std::vector<std::string>& wanted, const operations::ForwardSinks& sinks) {
  Call call;
  call.kind = CallKind::targets;
  call.parameters = where;
  call.request = {{"wanted", wanted}};
  const auto targets = carry(std::move(call), k_no_streams, {});
  try {
    listen(targets, sinks);
  } catch (const ConnectionLost& end) {
    throw_lost(end);
  }
}

/// Here, until it is interrupted or the sandbox ends.
void Remote::listen(const Json& targets, const operations::ForwardSinks& sinks) {
  constexpr std::chrono::milliseconds k_look_for_interrupt{100};
  const auto prefix = std::string(k_workspace_path) + m_placed.workspace_id;
  ports::PortForwarder forwarder(m_connection->loop(), m_connection->session(), prefix + "/agent");
  Json wanted = Json::array();
  for (const auto& target : targets) {
    wanted.push_back({{"guest_port", target["port"]}, {"host_port", target["host_port"]}});
  }
  const auto listened = forwarder.forward(wanted, sinks.refused).ports;
  Json told = Json::array();
  for (std::size_t index = 0; index < targets.size(); ++index) {
    told.push_back(
        {{"service", targets[index]["service"]},
         {"port", listened[index]["guest_port"]},
         {"address", listened[index]["host"]},
         {"host_port", listened[index]["host_port"]}});
  }
  sinks.listening(told);
  bool has_ended = false;
  protocol::CallEvents events;
  events.on_failure = [&](const Error&) {
    has_ended = true;
  };
  const auto watch = protocol::open_call(
      m_connection->session(), prefix + "/ports/watch", Json::object(), std::move(events));
  while (!m_manner.callbacks.interrupted || !m_manner.callbacks.interrupted()) {
    m_connection->loop().turn(k_look_for_interrupt);
    m_connection->check();
    m_connection->watch_silence([this](bool is_begun) { ask_slurm(is_begun); });
    if (has_ended) {
      throw Error(
          ErrorCode::bad_state, "the workspace must be in 'started' state: its sandbox ended meanwhile");
    }
  }
  watch->cancel();
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
