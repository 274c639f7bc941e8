// The agent's operations: paths and JSON shapes, services apart (service_requests.hpp). The supervisor passes
// "/agent" + path on to the agent. Every from_json checks types and limits and names the key that is wrong.
#pragma once

#include <pyro/base/base64.hpp>
#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_hello = "/hello";
inline constexpr std::string_view k_exec = "/exec";
inline constexpr std::string_view k_services_apply = "/services/apply";
inline constexpr std::string_view k_services_status = "/services/status";
inline constexpr std::string_view k_services_wait = "/services/wait";
inline constexpr std::string_view k_services_stop = "/services/stop";
inline constexpr std::string_view k_services_start = "/services/start";
inline constexpr std::string_view k_services_restart = "/services/restart";
inline constexpr std::string_view k_services_logs = "/services/logs";
inline constexpr std::string_view k_services_define = "/services/define";
inline constexpr std::string_view k_services_ended = "/services/ended";
inline constexpr std::string_view k_services_follow = "/services/follow";
inline constexpr std::string_view k_secrets_put = "/secrets/put";
inline constexpr std::string_view k_authority = "/authority";
inline constexpr std::string_view k_memory_kills = "/memory/kills"; // → {count, last: {who, at} or null}
inline constexpr std::string_view k_resources = "/resources";       // resources.hpp
inline constexpr std::string_view k_sftp = "/sftp";
inline constexpr std::string_view k_tcp_connect = "/tcp/connect";
inline constexpr std::string_view k_freeze = "/freeze";
inline constexpr std::string_view k_thaw = "/thaw";
inline constexpr std::string_view k_suspend = "/suspend";
inline constexpr std::string_view k_sync = "/sync";
inline constexpr std::string_view k_clock_set = "/clock/set";
inline constexpr std::string_view k_identity = "/identity";
inline constexpr std::string_view k_shutdown = "/shutdown";
inline constexpr std::string_view k_processes_end = "/processes/end";
} // namespace path

/// Answer of /hello (request: {}). The host goes by the features, never by the version.
struct Hello {
  std::vector<std::string>
      protocol_features; // "exec", "pty", "services", "tcp", "freeze", "secrets", "clock", ...
  std::string agent_version;
  std::string boot_epoch; // random, new with every start of the agent
  std::int64_t pid = 0;   // as the agent sees itself: 1 in a sandbox
};

struct TerminalSize {
  int cols = 80;
  int rows = 24;
};

/// /exec. Answers: json {"started":{"pid":N}}, data_out and data_err (with a pty only data_out), then result.
/// The host may send json {"signal":"TERM"} (to the whole group) and {"resize":{"cols":80,"rows":24}},
/// data_in and end_in. Cancelling the call ends the whole process group: SIGTERM, SIGKILL after 2 s.
struct ExecRequest {
  std::vector<std::string> argv;          // argv[0] is looked up in the PATH of env
  std::string cwd;                        // empty: "/"
  std::map<std::string, std::string> env; // on top of PATH, HOME, USER, LOGNAME, LANG (and TERM with a pty)
  std::string user;                       // "name", "uid", "uid:gid", "name:group"; empty: the agent's own
  bool wants_stdin = false;               // false: /dev/null. JSON key "stdin"
  std::optional<TerminalSize> pty;
  std::int64_t timeout_ms = 0; // 0: none. Past it every process of this exec is killed
};

/// /sftp: as /exec, with the agent's own SFTP server as the command, which speaks version 3 on its input and
/// output.
struct SftpRequest {
  std::string cwd;  // where relative paths begin
  std::string user; // as of ExecRequest
};

/// Who was killed for want of memory while a command ran, as far as it can be told: the command's own
/// process, one of its processes (a shell ends like its child), or somebody, after which the command failed.
enum class MemoryVictim { none, command, process_of_it, somebody };

/// Result of /exec. A program that cannot be started is a result too: 127 not found, 126 not executable, no
/// such user or cwd, with the reason in stderr_note.
struct ExecResult {
  int exit_code = 0; // 128 + signal for a signal, 124 for a timeout
  int signal = 0;
  bool timed_out = false;
  std::int64_t duration_ms = 0;
  std::string stderr_note;
  std::int64_t oom_kills = 0; // processes of the sandbox that were killed meanwhile for want of memory
  MemoryVictim oom_victim = MemoryVictim::none;
  std::string oom_note;   // where there is one: "killed: out of memory (LIMIT)"
  std::string stopped_by; // the code of /processes/end; empty: it ended by itself, or by who asked for it
};

/// /secrets/put → {path}. Written to /run/secrets/NAME, which is a tmpfs; with a service, whose user is not
/// the only one, to /run/secrets/NAME@SERVICE instead.
struct SecretPut {
  std::string name;
  std::string value; // bytes; base64 in JSON
  std::string user;  // owner; empty, unknown or not to be had inside: the agent's own
  std::string service;
};

/// /authority → {}. An authority (PEM) that programs inside trust beside those of their system, from now on
/// and until the sandbox ends: in k_authority_bundle with the system's, in k_authority_file with those of
/// environment.ca alone. Both are in memory.
struct Authority {
  std::string certificate;
};

inline constexpr std::string_view k_authority_bundle = "/run/pyro/ca-bundle.pem";
inline constexpr std::string_view k_authority_file = "/run/pyro/ca.pem";

/// /tcp/connect. Answers: json {"connected":true}, then data_in to it, data_out from it, result {} at its
/// end.
struct TcpConnect {
  std::string host = "127.0.0.1"; // an address, or "localhost"
  int port = 0;
};

/// /identity → {}: host name and machine id of a fresh clone; empty fields stay as they are.
struct Identity {
  std::string hostname;
  std::string machine_id;
};

/// /clock/set → {}: {epoch_ms}. /freeze → {frozen: N}, /thaw → {thawed: N}, /sync → {}, /shutdown {grace_ms}
/// → {}.
struct ClockSet {
  std::int64_t epoch_ms = 0;
};

/// /processes/end → {}: SIGKILL to all but the agent, from outside (a limit of the whole sandbox). Commands
/// end with `code` in ExecResult::stopped_by, services are failed with `reason`, which is one clause.
struct ProcessesEnd {
  std::string code;
  std::string reason;
};

struct Shutdown {
  std::int64_t grace_ms = 5000;
};

Json to_json(const Hello& value);
/// Throws Error(invalid_argument) for arguments and variables that no kernel would take.
Json to_json(const ExecRequest& value);
Json to_json(const SftpRequest& value);
Json to_json(const ExecResult& value);
Json to_json(const SecretPut& value);
Json to_json(const Authority& value);
Json to_json(const TcpConnect& value);
Json to_json(const Identity& value);
Json to_json(const ClockSet& value);
Json to_json(const Shutdown& value);
Json to_json(const ProcessesEnd& value);

Hello hello_from_json(const Json& value);
ExecRequest exec_request_from_json(const Json& value);
SftpRequest sftp_request_from_json(const Json& value);
ExecResult exec_result_from_json(const Json& value);
SecretPut secret_put_from_json(const Json& value);
Authority authority_from_json(const Json& value);
TcpConnect tcp_connect_from_json(const Json& value);
Identity identity_from_json(const Json& value);
ClockSet clock_set_from_json(const Json& value);
Shutdown shutdown_from_json(const Json& value);
ProcessesEnd processes_end_from_json(const Json& value);
TerminalSize terminal_size_from_json(const Json& value);

using pyro::base64_decode;
using pyro::base64_encode;

/// [A-Za-z0-9][A-Za-z0-9._-]*, at most 64: names of services and secrets. Throws naming `what`.
void check_name(std::string_view name, std::string_view what);

} // namespace pyro::protocol
