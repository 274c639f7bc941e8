#include "engine.hpp"

#include "machine_parameters.hpp"
#include "operation.hpp"
#include "parameters.hpp"
#include "schema_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/operation_note.hpp>
#include <pyro/workspace/execution.hpp>
#include <pyro/workspace/terminals.hpp>
#include <pyro/workspace/vms.hpp>

namespace pyro::operations {

namespace {

class WorkspaceEngine : public Engine {
public:
  WorkspaceEngine(Settings settings, Callbacks callbacks)
      : m_callbacks(std::move(callbacks)),
        m_workspaces(with_interrupts(std::move(settings), m_callbacks), sink()),
        m_context{
            m_workspaces, m_callbacks.ask, m_callbacks.interrupted, m_callbacks.color,
            m_callbacks.stream_output ? m_callbacks.events : EventSink()} {}

  Json call(std::string_view operation, const Json& parameters) override {
    const InterruptionScope scope(m_callbacks.interrupted);
    return operations::call(m_context, operation, parameters);
  }

  ExecResult stream_exec(const Json& where, const ExecRequest& request, const ExecStreams& streams) override {
    const auto given = with_directory(m_context, where);
    const workspace::OperationNote note(m_workspaces, "exec");
    try {
      auto result = workspace::exec_in_workspace(
          m_workspaces, workspace_of(given), project_of(given), request, streams);
      note.complete({{"workspace_id", result.workspace_id}});
      return result;
    } catch (const Error& error) {
      note.failed(error);
      throw;
    }
  }

  ExecResult stream_vm_exec(const Json& vm, const ExecRequest& request, const ExecStreams& streams) override {
    const InterruptionScope scope(m_callbacks.interrupted);
    if (const auto id = maybe_string(vm, "vm_id")) {
      return workspace::exec_in_vm(m_workspaces, *id, request, streams);
    }
    check_parameters("vm_run", find_operation("vm_create").parameters_schema, vm);
    return workspace::run_vm(m_workspaces, vm_request_of(vm), request, streams);
  }

  Json
  attach_shell(const Json& where, const ShellAttachRequest& request, const ExecStreams& streams) override {
    return workspace::attach_to_workspace_shell(m_workspaces, id_of(where), request, streams);
  }

  void stream_logs(const Json& where, const LogRequest& request, const LineSink& line) override {
    const auto given = with_directory(m_context, where);
    workspace::stream_service_logs(
        m_workspaces, workspace_of(given), project_of(given), request.service, request.tail, request.follow,
        line, [this] { return m_callbacks.interrupted && m_callbacks.interrupted(); });
  }

  void forward_ports(const Json& where, const std::vector<std::string>& wanted, ForwardSinks sinks) override {
    const InterruptionScope scope(m_callbacks.interrupted);
    const auto given = with_directory(m_context, where);
    sinks.interrupted = m_callbacks.interrupted;
    workspace::forward_ports(m_workspaces, workspace_of(given), project_of(given), wanted, sinks);
  }

private:
  static Settings with_interrupts(Settings settings, const Callbacks& callbacks) {
    settings.interrupted = callbacks.interrupted;
    return settings;
  }

  EventSink sink() {
    return m_callbacks.events ? m_callbacks.events : [](const Event&) {
    };
  }

  Callbacks m_callbacks;
  workspace::Context m_workspaces;
  Context m_context;
};

} // namespace

std::unique_ptr<Engine> make_engine(Settings settings, Callbacks callbacks) {
  return std::make_unique<WorkspaceEngine>(std::move(settings), std::move(callbacks));
}

} // namespace pyro::operations
