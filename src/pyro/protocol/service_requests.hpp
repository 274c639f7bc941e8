// Services as the agent runs them: definitions (everything resolved by the host: shells, env files,
// references), probes, states; and the requests under /services.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::protocol {

/// Services of one sandbox.
inline constexpr std::size_t k_max_services = 256;

enum class ProbeKind { exec, http, tcp, file, log };

struct StatusRange {
  int from = 200;
  int to = 399;
};

/// One probe; which fields matter depends on the kind.
struct Probe {
  ProbeKind kind = ProbeKind::exec;
  std::vector<std::string> argv;  // exec: run as the service's user, in its env and cwd; exit 0 is success
  std::string host = "127.0.0.1"; // http, tcp
  int port = 0;
  std::string http_path = "/"; // JSON key "path" for http
  std::string method = "GET";
  std::map<std::string, std::string> headers;
  std::vector<StatusRange> status{{200, 399}}; // JSON: [[200,399]]
  std::string file;    // file: exists and is newer than the start of the service. JSON key "path" for file
  std::string pattern; // log: in the output of this start
  bool regex = false;
  std::int64_t interval_ms = 0; // 0: adaptive, at once, then 100 ms doubling to 1 s
  std::int64_t timeout_ms = 2000;
  std::int64_t deadline_ms = 60000; // readiness: from the start of the service
  int successes = 1;                // in a row
  int failures = 3;                 // liveness: in a row
  bool watch = false;               // readiness: go on after success
};

enum class RestartPolicy { no, on_failure, always }; // JSON: "no", "on-failure", "always"
enum class DependencyCondition { started, ready, completed };

struct Dependency {
  DependencyCondition condition = DependencyCondition::ready;
  bool restart = false; // restart me when it is restarted
};

struct ServiceDefinition {
  std::vector<std::string> argv;
  std::string cwd;
  std::map<std::string, std::string> env;
  std::string user;
  bool oneshot = false;          // must exit 0
  bool once_per_content = false; // a oneshot that has completed in this content is not run again
  std::map<std::string, Dependency> depends_on;
  std::optional<Probe> readiness; // none: ready when it has been running for a time (oneshot: when completed)
  std::int64_t ready_after_ms = 1000; // that time
  std::optional<Probe> liveness;
  RestartPolicy restart = RestartPolicy::no;
  int max_restarts = 5;
  std::int64_t timeout_ms = 0; // oneshot: to run; 0 none
  std::string stop_signal = "SIGTERM";
  std::int64_t stop_grace_ms = 10000;
  std::string hint;              // shown with a failure before it was ready
  std::string definition_digest; // what says "changed"; computed by the host over what needs a restart
};

/// /services/apply → {started: [names], restarted: [names], stopped: [names]}, at once. The given set is all
/// there is: others are stopped and forgotten. A changed digest restarts the service and dependents that ask
/// for it.
struct ServicesApply {
  std::map<std::string, ServiceDefinition> services;
  bool start = true; // false: only define
  int parallel = 0;  // services on their way up at once; 0: any number
};

/// /services/define → ServicesResult with its status, at once. One more service beside those that were
/// applied, which no later apply takes away unless it has one of the same name. It is started; one of that
/// name must not be running (bad_state) nor come from an apply (already_exists). Its log begins anew.
struct ServicesDefine {
  std::string name;
  ServiceDefinition definition;
};

enum class ServiceState { waiting, starting, running, ready, completed, exited, stopped, failed };

/// Why it failed. own: by itself. background: its process ended and left others behind, as a daemon does
/// (also of state exited). timeout: not ready, or not completed, in time. dependency: it was not started.
enum class ServiceFailure { none, own, background, timeout, dependency };

/// waiting: for dependencies (or not started yet). starting: not ready yet. running: started, no readiness
/// known yet (the first second of a service without a probe). ready. completed: a oneshot that exited 0.
/// exited: ended by itself and is not restarted. stopped: by request. failed: not ready in time, oneshot
/// failed, restarts spent.
struct ServiceStatus {
  std::string name;
  ServiceState state = ServiceState::waiting;
  ServiceFailure failure = ServiceFailure::none;
  std::int64_t pid = 0;
  double started_at = 0; // seconds since the epoch; 0: not
  double ready_at = 0;
  double ended_at = 0;          // of the last run; 0: it has a process, or never had one
  std::optional<int> exit_code; // of the last run, 128 + signal for a signal
  int signal = 0;
  int restarts = 0;
  int oom_kills = 0;       // runs that ended for want of memory, since the sandbox was started
  std::string stop_reason; // "sigterm", "sigkill": how the last stop ended it
  std::string reason;      // why it is failed, exited or waiting
  std::string last_probe;  // "http 127.0.0.1:8080/: status 503"
  std::string definition_digest;
  bool by_hand = false;              // from /services/define
  std::vector<std::string> log_tail; // last 20 lines of this start
};

/// /services/wait: json frames {"service": ServiceStatus} at first for each and then on each change, then the
/// result. It ends when every named service is ready (completed for oneshots, started with the 1 s rule where
/// no probe), or at once when one has failed for good. Every service's own readiness deadline bounds it.
struct ServicesWait {
  std::vector<std::string> names; // empty: all
};

/// Result of /services/wait and /services/status ({services}, ok left out there).
struct ServicesResult {
  bool ok = false;
  std::vector<ServiceStatus> services;
};

/// /services/stop, /services/start, /services/restart → ServicesResult, when stopped (stop) or at once. Stop
/// takes dependents along in order; start starts dependencies first.
struct ServicesSelect {
  std::vector<std::string> names;
  bool all = false;
};

/// /services/ended → ServicesResult with its status, once it has no process and will not get one by itself.
struct ServicesEnded {
  std::string name;
};

/// /services/follow {}: a json frame {"services": [ServiceStatus]} of all at first, then {"service":
/// ServiceStatus} on each change, until the caller is gone.

/// /services/logs: data_out and data_err, json {"dropped_bytes": N} where the ring (256 KiB) had to forget
/// some, result {truncated: bool, lines: N} when not following.
struct ServicesLogs {
  std::string name;
  std::int64_t tail = -1; // lines; -1 all
  bool follow = false;
  std::string stream = "both"; // "stdout", "stderr", "both"
};

std::string_view name_of(ServiceState state);
std::string_view name_of(ServiceFailure failure);
std::string_view name_of(ProbeKind kind);

Json to_json(const Probe& value);
Json to_json(const ServiceDefinition& value);
Json to_json(const ServicesApply& value);
Json to_json(const ServiceStatus& value);
Json to_json(const ServicesWait& value);
Json to_json(const ServicesResult& value);
Json to_json(const ServicesSelect& value);
Json to_json(const ServicesLogs& value);
Json to_json(const ServicesDefine& value);
Json to_json(const ServicesEnded& value);

Probe probe_from_json(const Json& value);
ServiceDefinition service_definition_from_json(const Json& value);
/// Checks names, that dependencies exist and that they form no cycle.
ServicesApply services_apply_from_json(const Json& value);
ServiceStatus service_status_from_json(const Json& value);
ServicesWait services_wait_from_json(const Json& value);
ServicesResult services_result_from_json(const Json& value);
ServicesSelect services_select_from_json(const Json& value);
ServicesLogs services_logs_from_json(const Json& value);
ServicesDefine services_define_from_json(const Json& value);
ServicesEnded services_ended_from_json(const Json& value);

} // namespace pyro::protocol
