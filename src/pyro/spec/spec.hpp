// The checked content of a pyro.yaml: effective values after profile and interpolation, defaults filled in.
// Made by parse.hpp only. For a comparable form see normal_form.hpp, for cache keys plan/recipe.hpp.
#pragma once

#include <pyro/base/error.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pyro::spec {

using std::chrono::milliseconds;
using StringMap = std::map<std::string, std::string>;

/// Weakest first, so that `<` means "isolates less".
enum class Isolation { host, sandbox, vm };

enum class GitMode { tracked, tracked_untracked, all };

enum class OnChange { reset, sync, keep };

enum class Condition { started, ready, completed };

enum class RestartPolicy { no, on_failure, always };

/// How often a oneshot runs: at each start, or once for each content, whose snapshots have its result.
enum class OneshotPer { start, content };

enum class MemoryMode { automatic, on, off };

/// What services do while a snapshot is taken.
enum class CaptureServices { running, stopped };

enum class DriftPolicy { report, reset, fail };

enum class LifecycleAction { stop, destroy };

enum class MountMode { read_only, read_write };

/// Whose a cache directory is: of this checkout, or of every file on this machine that says the same.
enum class CacheShare { checkout, machine };

enum class EgressKind { none, all, hosts };

/// The spelling in pyro.yaml ("on-failure", "tracked+untracked", "auto", "ro").
std::string_view name_of(Isolation value);
std::string_view name_of(GitMode value);
std::string_view name_of(OnChange value);
std::string_view name_of(Condition value);
std::string_view name_of(RestartPolicy value);
std::string_view name_of(OneshotPer value);
std::string_view name_of(MemoryMode value);
std::string_view name_of(CaptureServices value);
std::string_view name_of(DriftPolicy value);
std::string_view name_of(LifecycleAction value);
std::string_view name_of(MountMode value);
std::string_view name_of(CacheShare value);

/// A command: a text is for /bin/sh -c, a list is run as it is.
struct Command {
  std::string shell;             // empty where `list` is used
  std::vector<std::string> list; // empty where `shell` is used

  /// What to execute: {"/bin/sh", "-c", shell} or the list.
  std::vector<std::string> argv() const;

  bool empty() const { return shell.empty() && list.empty(); }
};

struct Egress {
  EgressKind kind = EgressKind::none;
  std::vector<std::string> hosts; // sorted, unique; only for EgressKind::hosts
};

/// "none", "all" or "a.example, b.example".
std::string to_string(const Egress& egress);
/// Of such a text.
Egress egress_from_text(const std::string& text);

struct Variable {
  std::string type = "string"; // string | int | bool
  std::optional<std::string> default_value;
  std::string env; // host variable that wins over the default
  std::string description;
  std::optional<std::string> value; // as resolved
};

/// A variable of the host that the file asked for, whether it is set or not.
struct HostVariable {
  std::string name;
  std::string address; // of the value that it went into, or "vars.<name>.env"

  auto operator<=>(const HostVariable&) const = default;
};

enum class SecretSource { env, file, command };

struct Secret {
  SecretSource source = SecretSource::env;
  std::string from; // name of the variable, path, or shell command
  bool required = true;

  // Of one that the gateway puts into requests; none of it inside (docs/decisions/0078).
  std::vector<std::string> hosts; // as egress/rule.hpp writes them; empty: it is given to who lists it
  std::string header = "Authorization";
  std::optional<std::string> prefix; // what stands before the value; nullopt: what the request has there
  std::vector<std::string> allow;    // as egress/request_pattern.hpp writes them; empty: every request

  bool is_for_requests() const { return !hosts.empty(); }
};

/// The variable in which processes inside find the placeholder of a secret for requests: the one that it
/// comes from, else its name in capitals.
std::string placeholder_variable(const std::string& name, const Secret& secret);

struct Resources {
  int cpus = 1;
  std::uint64_t memory = 1ULL << 30;
  std::uint64_t disk = 8ULL << 30;
  int pids = 1024;
};

struct CacheDirectory {
  std::string path; // absolute, in normal form
  CacheShare share = CacheShare::checkout;

  bool operator==(const CacheDirectory&) const = default;
};

/// One entry of environment.setup or prepare.
struct Step {
  std::string id;                  // given, or "1", "2", … by position
  std::string run;                 // for /bin/sh -c
  std::string user;                // setup: root; prepare: environment.user (empty: the image's)
  std::string workdir;             // setup: seed.to if it has inputs, else "/"; prepare: environment.workdir
  StringMap env;                   // all that is set beside the image's own; environment.env is not visible
  std::vector<std::string> inputs; // seed files that exist while it runs, as written; prepare: empty for all
  std::vector<CacheDirectory> cache; // kept between builds, left out of layers
  milliseconds timeout{600'000};
  int retries = 0;
  std::vector<std::string> secrets; // sorted
  Egress egress;                    // setup: own, default all; prepare: network.egress
};

struct Environment {
  std::string
      image; // debian:12-base, OCI reference, oci:PATH, dir:PATH, tar:PATH, docker-archive:PATH or host
  std::string platform; // linux/amd64; empty: the host's
  Resources resources;
  std::string user; // empty: the image's
  std::string workdir = "/workspace";
  StringMap env;  // for exec and services; not for setup and prepare
  std::string ca; // a file of certificates to trust; empty: none
  std::vector<Step> setup;
};

struct Seed {
  std::string from = ".";
  std::string to = "/workspace";
  GitMode git = GitMode::tracked_untracked; // where `from` is no git checkout: all
  bool git_history = false;                 // with .git, whatever files are chosen
  std::vector<std::string> exclude;         // gitignore syntax, in order
  std::string owner;                        // "user" or "user:group"; empty: environment.user
  OnChange on_change = OnChange::reset;
};

struct StatusRange {
  int first = 200;
  int last = 399;
};

struct ExecProbe {
  Command command;
};

struct HttpProbe {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string scheme = "http";
  std::string path = "/";
  std::string method = "GET";
  std::vector<StatusRange> status{StatusRange{}};
  StringMap headers;
};

struct TcpProbe {
  std::string host = "127.0.0.1";
  int port = 0;
};

struct FileProbe {
  std::string path;
};

struct LogProbe {
  std::string pattern; // literal, or the expression without its slashes
  bool regex = false;
};

using Check = std::variant<ExecProbe, HttpProbe, TcpProbe, FileProbe, LogProbe>;

/// "exec", "http", "tcp", "file" or "log".
std::string_view kind_of(const Check& check);

struct Readiness {
  Check check;
  std::optional<milliseconds> interval; // absent: at once, 100 ms, doubling to 1 s
  milliseconds timeout{2'000};
  milliseconds deadline{60'000};
  int successes = 1;
  bool watch = false;
};

struct Liveness {
  Check check; // never a LogProbe
  milliseconds interval{10'000};
  milliseconds timeout{2'000};
  int failures = 3;
};

struct Dependency {
  Condition condition = Condition::started; // as written, or by what the other service is
  bool restart = false;                     // restart me when it is restarted
};

struct Port {
  std::string address = "127.0.0.1";
  std::optional<int> host_port; // absent: a free one, stable for the workspace
  int port = 0;                 // inside
};

/// "8080", "3000:8080" or "0.0.0.0:3000:8080".
std::string to_string(const Port& port);

struct Stop {
  std::string signal = "SIGTERM";
  milliseconds grace{10'000};
};

struct Service {
  std::string name;
  Command command;
  std::string user;    // empty: environment.user
  std::string workdir; // empty: environment.workdir
  StringMap env;       // own variables only; see effective_env()
  std::vector<std::string> env_file;
  std::vector<std::string> secrets; // sorted
  bool oneshot = false;
  OneshotPer oneshot_per = OneshotPer::start;
  std::map<std::string, Dependency> depends_on;
  std::optional<Readiness> readiness;
  std::optional<Liveness> liveness;
  RestartPolicy restart = RestartPolicy::no;
  int max_restarts = 5;
  std::optional<milliseconds> timeout; // of a oneshot
  Stop stop;
  std::vector<Port> ports;
  std::string hint;
};

/// environment.env with the service's own variables over it (env_file content, read by workspace/, lies
/// between).
StringMap effective_env(const Service& service, const Environment& environment);

struct Snapshot {
  std::string at; // image | setup | setup.<id> | seed | prepare | prepare.<id> | ready
  MemoryMode memory = MemoryMode::automatic;
  CaptureServices services = CaptureServices::running; // of `at: ready`
};

/// Are the services stopped while the ready point is captured? All snapshots at it agree (check.cpp).
bool stops_for_ready_point(const std::map<std::string, Snapshot>& snapshots);

struct Retention {
  int keep = 3;
  milliseconds min_age{86'400'000};
  std::optional<std::uint64_t> max_size;
};

struct Reset {
  std::string to; // a snapshot's name or "baseline"; default: the deepest snapshot, else "baseline"
  milliseconds undo{86'400'000};
};

struct Drift {
  std::vector<std::string> report{"/"};
  std::vector<std::string> ignore; // gitignore syntax, on top of the built-in ones
  DriftPolicy policy = DriftPolicy::report;
};

struct Lifecycle {
  std::optional<milliseconds> ttl;
  std::optional<milliseconds> idle;
  LifecycleAction on_idle = LifecycleAction::stop;
  LifecycleAction on_expire = LifecycleAction::stop;
};

struct Mount {
  std::string from; // host directory, relative to the file
  std::string to;
  MountMode mode = MountMode::read_only;
};

struct Spec {
  int version = 1;
  std::string name;
  std::string description;
  StringMap labels;
  std::map<std::string, Variable> vars;
  std::map<std::string, Secret> secrets;
  Isolation isolation = Isolation::sandbox;
  std::string backend = "auto"; // auto | namespaces | qemu | firecracker | host
  Environment environment;
  Seed seed;
  std::vector<Step> prepare;
  std::map<std::string, Service> services;
  std::map<std::string, Snapshot> snapshots;
  Retention retention;
  Reset reset;
  Drift drift;
  Egress network_egress;
  Lifecycle lifecycle;
  std::vector<Mount> mounts;
  std::vector<std::string> profile_names;   // sorted
  std::string profile;                      // the chosen one, or empty
  std::vector<HostVariable> host_variables; // in the order they were asked for; those of secrets are not
  bool complete = true; // false: a host variable was withheld, so some values are as they are written

  /// Where each address was written: "environment.setup.deps.run", "services.api.env.PORT",
  /// "seed.exclude[0]".
  std::map<std::string, Position> positions;

  /// Declared variables whose values went into what stands at an address (one of `positions`).
  std::map<std::string, std::set<std::string>> variables_at;
  /// What each profile of the file says something of: addresses, lists as a whole.
  std::map<std::string, std::vector<std::string>> reach_of_profiles;

  /// Did a variable go into the value at this address, or below it? In order of their names.
  std::set<std::string> variables_of(std::string_view address) const;
  /// Does this profile say something of the address, of what is above it or below?
  bool is_reached(const std::string& profile_name, std::string_view address) const;

  /// The place of an address, or of its nearest written parent (a default has no place of its own).
  Position place(std::string_view address) const;
};

/// Is any of its secrets for requests?
bool has_request_secrets(const Spec& spec);

} // namespace pyro::spec
