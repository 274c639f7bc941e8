// What a front talks to: operations by name, and those that stream. make_engine() is the one over the
// workspaces; tests of a front bring their own. Names of workspace/ that a front needs are exported here,
// since fronts include operations/ and base/ only.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/context/settings.hpp>
#include <pyro/workspace/port_forwarding.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::operations {

using Event = workspace::Event;
using EventSink = workspace::EventSink;
using workspace::event_from_json;
using ExecRequest = workspace::ExecRequest;
using ExecResult = workspace::ExecResult;
using ExecStreams = workspace::ExecStreams;
using Settings = workspace::Settings;
using TrustGrant = workspace::TrustGrant;
using PlanText = workspace::PlanText;
using ShellAttachRequest = workspace::ShellAttachRequest;
using ForwardSinks = workspace::ForwardSinks;

/// How the front is reached while something runs; each may be empty.
struct Callbacks {
  EventSink events;
  std::function<bool(const std::string& text)> ask; // absent: whatever needs a yes fails with approval_needed
  std::function<bool()> interrupted;
  bool color = false;
  /// What commands and followed logs write becomes events too, as it is written (output_events.hpp). They
  /// come from threads of their own, so `events` is called from several then.
  bool stream_output = false;
};

struct LogRequest {
  std::string service; // empty: all
  int tail = 200;
  bool follow = false;
};

using LineSink = std::function<void(const std::string& service, const std::string& line)>;

class Engine {
public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// One entry of the operation table.
  virtual Json call(std::string_view operation, const Json& parameters) = 0;
  /// exec with streams instead of captured output. `where`: directory, file, profile, vars, workspace.
  virtual ExecResult
  stream_exec(const Json& where, const ExecRequest& request, const ExecStreams& streams) = 0;
  /// vm_exec and vm_run with streams: `vm` is {"vm_id"} or the parameters of vm_create.
  virtual ExecResult
  stream_vm_exec(const Json& vm, const ExecRequest& request, const ExecStreams& streams) = 0;
  /// Joins a shell with our descriptors; `where` holds workspace_id. The shell's document and "detached".
  virtual Json
  attach_shell(const Json& where, const ShellAttachRequest& request, const ExecStreams& streams) = 0;
  /// logs, line by line; returns when the services or an interrupt end it.
  virtual void stream_logs(const Json& where, const LogRequest& request, const LineSink& line) = 0;
  /// Ports inside on this machine (workspace/port_forwarding.hpp); returns when an interrupt ends it, of
  /// which the engine knows.
  virtual void
  forward_ports(const Json& where, const std::vector<std::string>& wanted, ForwardSinks sinks) = 0;
};

using EngineFactory = std::function<std::unique_ptr<Engine>(Settings, Callbacks)>;

/// Nothing is opened before the first call that needs it.
std::unique_ptr<Engine> make_engine(Settings settings, Callbacks callbacks);

} // namespace pyro::operations
