// What callers ask for: parameters and results of what is done with workspaces, where they are more than a
// name.
#pragma once

#include <pyro/base/dry_run.hpp>
#include <pyro/base/json_access.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Which pyro.yaml, and how it is read.
struct Project {
  std::string file = "pyro.yaml"; // relative to `directory`
  std::string directory = ".";
  std::string profile;
  std::map<std::string, std::string> vars;
  std::string var_file;           // NAME: value, for what `vars` does not say; empty: none
  std::vector<std::string> sets;  // "services.api.env.PORT=8081": over the file
  bool allow_host_compat = false; // may the file's `isolation: host` be had?
  std::string identity;           // the workspace that it has to be of; empty: whichever it is
};

/// Which part of a plan is wanted, and how it is made. Addresses are those of a plan.
struct PlanChoice {
  std::vector<std::string> targets;  // only these and what they need; empty: all
  std::vector<std::string> excludes; // not these, nor what needs them
  std::vector<std::string> replaces; // made anew though nothing changed
  bool refresh = true;               // look for what was changed inside
  bool memory = true;                // keep and use the memory of snapshots
  std::string policy;                // a file of rules that the plan must not break; empty: none
};

/// What an apply or plan may do.
struct ApplyOptions {
  PlanChoice choice;
  std::set<std::string> allowed; // "reset", "replace", "destroy": these need no yes
  bool dry_run = false;          // say what would be done, and do nothing
  int parallel = 10;             // services that may be on their way up at once
  /// With plan_id: another generation of the workspace will do, where the same would be done.
  bool if_equivalent = false;
  bool approve_all = false; // --yes
  /// Asked only when something would be lost and approve_all is off; gets the plan as text. Absent:
  /// approval_needed.
  std::function<bool(const std::string& plan_text)> ask;
  bool wait = true;
  bool use_cache = true;
  /// Of a plan that somebody looked at: Error(stale) where something else would be done now. Empty: any.
  std::string plan_id;
};

/// A secret given by hand: a value, or a file on this machine that holds it.
struct SecretInput {
  std::string name;
  std::optional<std::string> value;
  std::string file_path;
};

/// A one-shot VM: created, started, given one command, gone.
struct VmRequest {
  std::string environment;
  std::string name; // empty: made up
  int vcpu_count = 1;
  int mem_mib = 1024;
  std::int64_t ttl_seconds = 600;
  std::string network_policy; // "off" or "egress"; empty: off where the backend can hold it
  std::string backend = "auto";
  bool allow_host_compat = false; // may it run without isolation where there is none to be had?
};

/// A workspace made by hand, without a pyro.yaml: a machine of the same kind, and what outlives its sandbox.
struct CreateRequest : VmRequest {
  std::map<std::string, std::string> labels;
  std::string seed_path;                 // directory or archive; empty: an empty /workspace
  std::string isolation = "sandbox";     // the least that is accepted
  std::vector<std::string> egress_hosts; // not empty: egress to these alone, where the backend can
  std::vector<SecretInput> secrets;
};

/// Which content other workspaces are made of, and who they are.
struct ForkRequest {
  std::string workspace; // empty: the one of the project
  std::string snapshot;  // empty: the content as it is now
  int count = 1;
  std::string name;               // of the one, or with -1, -2, … of each; empty: made up from the source's
  std::vector<std::string> names; // one for each, instead
  std::optional<std::int64_t> ttl_seconds; // from now; absent: as long as the source had
  DryRun dry_run = DryRun::no;
};

/// Streams of an exec: our descriptors; -1 for none. A terminal makes raw mode and window size the caller's
/// business.
struct ExecStreams {
  int in = -1;
  int out = 1;
  int err = 2;
};

struct ExecRequest {
  std::vector<std::string> argv;
  std::string script;                     // what the log calls it; empty: argv
  std::string cwd;                        // empty: the workspace's workdir
  std::map<std::string, std::string> env; // on top of the workspace's
  /// Secrets of the workspace as variables: secret → variable (empty: named like the secret).
  std::map<std::string, std::string> secret_env;
  std::string user;            // empty: the workspace's
  bool in_failed_step = false; // not in the workspace: in what the last failed step of the file left
  bool tty = false;
  int columns = 80;
  int rows = 24;
  std::chrono::milliseconds timeout{0}; // 0: none
  bool start_if_stopped = false;
  /// Bytes of each stream that its caller shows. What is more is kept, for who goes on reading; absent: the
  /// caller shows all.
  std::optional<std::size_t> shown_output;
  /// Called about 10 times a second and after signals; returns a pending {"resize":{cols,rows}} or
  /// {"signal":"INT"}.
  std::function<std::optional<Json>()> poll_control;
};

/// What the gateway of a list of hosts refused while a command ran: [{host, port, protocol, reason, allow,
/// count}], one for each host and port, and how many more there were.
struct RefusedConnections {
  Json list = Json::array();
  std::int64_t more = 0;
};

struct ExecResult {
  int exit_code =
      0; // the command's; 124 timeout, 126 not executable, 127 not found, 128+N killed by a signal
  bool timed_out = false;
  std::int64_t duration_ms = 0;
  std::int64_t oom_kills = 0; // processes that were killed meanwhile for want of memory
  std::string note;           // why it could not be started, or was stopped
  std::string
      stopped_by; // "disk_limit", "disk_entries", "disk_reserve", "user_limit"; empty: it ended by itself
  RefusedConnections refused;
  std::string refusal_text;   // the same for people; empty: nothing was
  std::string execution_mode; // "sandbox", "host_compat", …
  std::string workspace_id;   // empty of a one-shot VM
  std::int64_t sequence = 0;  // in the workspace's log; 0: it is not there
  std::string command;        // as the log has it
  std::string cwd;
  std::string output_id; // where all of its output is kept (kept_output.hpp); empty: nowhere
};

/// A terminal that lives on in the sandbox.
struct ShellRequest {
  std::string cwd;                               // empty: the workspace's workdir
  std::map<std::string, std::string> env;        // on top of the workspace's
  std::map<std::string, std::string> secret_env; // as in ExecRequest
  std::string user;                              // empty: the workspace's
  int columns = 120;
  int rows = 30;
};

struct ShellReadRequest {
  std::string shell_id;
  std::int64_t cursor = 0; // bytes since the shell was opened
  std::int64_t max_chars = 65536;
  bool plain = false; // without control sequences
  /// Not before nothing has been written for so long (or the shell has ended); at most a minute.
  std::chrono::milliseconds wait_for_idle{0};
};

struct ShellAttachRequest {
  std::string shell_id; // empty: the newest that runs, else a new one
  int columns = 80;
  int rows = 24;
  std::map<std::string, std::string> env; // of a new one
  /// As in ExecRequest; also {"detach": true}.
  std::function<std::optional<Json>()> poll_control;
};

struct PublishedPort {
  int guest_port = 0;
  int host_port = 0; // 0: a free one
};

/// A process that the sandbox's agent keeps.
struct ServiceRequest {
  std::string name;
  std::string command;           // for a shell
  std::vector<std::string> argv; // or, where that is empty, a program and its arguments
  std::string cwd;               // empty: the workspace's workdir
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> secret_env; // as in ExecRequest
  Json readiness; // {type: file|tcp|http|command|log, path|address|url|command|pattern|text}; null: at once
  std::int64_t ready_timeout_seconds = 30;
  std::int64_t ready_interval_ms = 500;
  std::vector<PublishedPort> published_ports;
};

/// How layers of an image are packed: "gzip", which everything reads, "zstd" or "none".
struct ImagePacking {
  std::string compression = "gzip";
  std::string tag; // in the layout; empty: the snapshot's name
};

} // namespace pyro::workspace
