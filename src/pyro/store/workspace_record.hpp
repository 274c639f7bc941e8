// What is known of one workspace, or one-shot VM, between processes. Read and written by workspace_json.cpp
// alone.
#pragma once

#include "layered_view.hpp"
#include "layers.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

enum class WorkspaceState { created, started, stopped };

std::string_view name_of(WorkspaceState state);

/// How a seed that is synced lies in the content that it was synced into. All are whole stacks.
struct SyncedSeed {
  std::vector<HexDigest> below; // the content without what was synced
  std::vector<HexDigest> first; // the seed that it was made with
  std::vector<HexDigest> last;  // the one that was brought in last

  bool operator==(const SyncedSeed&) const = default;
};

/// What the content was made from: plans and drift compare it with that.
struct ContentBase {
  std::string key;                              // of its recipe; empty where it has none
  std::string snapshot;                         // that it was last reset to; empty where it was not
  std::optional<std::vector<HexDigest>> layers; // where they are others than those that it stands on
  std::optional<SyncedSeed> seed;

  bool operator==(const ContentBase&) const = default;
};

/// The baseline as syncs made it: one layer for all of them, on top of what the first one found.
struct SyncedBaseline {
  std::vector<HexDigest> layers;
  std::vector<HexDigest> below;
  std::vector<HexDigest> first_seed;

  bool operator==(const SyncedBaseline&) const = default;
};

/// What an undo would bring back: the writable layer that the last reset, apply or destroy took out of use.
struct UndoEntry {
  int generation = 0; // its directory under gen/
  std::vector<HexDigest> layers;
  std::vector<HostDirectory> host_directories;
  ContentBase base;
  double made_at = 0;
  std::string reason;
  double expires_at = 0; // 0: never
};

struct Lifecycle {
  static constexpr std::int64_t k_undo_ms = 86'400'000;

  std::int64_t ttl_ms = 0;          // 0: none
  std::int64_t idle_ms = 0;         // without a client or a connection to a port; 0: none
  std::int64_t undo_ms = k_undo_ms; // how long an undo point is kept; 0: none is made
  bool destroy_when_idle = false;
  bool destroy_when_expired = false;
};

struct Limits {
  int vcpu_count = 1;
  int mem_mib = 1024;
  std::int64_t pids = 1024;
  std::int64_t disk_bytes = 0; // 0: the default
};

/// Where the files came from.
struct SeedSource {
  std::string mode;                        // "empty", "directory", "tar_archive"; "" before the first apply
  std::string path;                        // empty of an empty one
  std::optional<std::int64_t> entry_count; // older records do not know
  std::optional<std::int64_t> bytes;       // of its files
};

struct PublishedPort {
  std::string service;
  int port = 0;
  int host_port = 0; // the same again after a reset
  std::string address = "127.0.0.1";

  bool operator==(const PublishedPort&) const = default;
};

/// A directory of this machine that shows inside as it is (mounts of pyro.yaml).
struct LiveMount {
  std::string path;   // absolute, without symlinks
  std::string target; // absolute, inside
  bool writable = false;
  std::string owner; // whose files they are: who owns this path, the checkout's where `path` lies in it

  bool operator==(const LiveMount&) const = default;
};

/// As vm_create was asked; the backend is chosen at the start.
struct OneShotVm {
  std::string wanted_backend = "auto";
  std::string network_policy; // "off", "egress"; empty: whatever the backend can keep
  bool allow_host_compat = false;
};

/// What its pyro.yaml was read with.
struct ReadWith {
  std::string profile;
  std::map<std::string, std::string> vars; // declared ones, with the values that they had
};

struct WorkspaceRecord {
  std::string id;
  int layout_version = k_layout_version; // as it was read; saved in ours
  std::int64_t revision = 0;             // counts saves; see WorkspaceRecords::save
  std::optional<OneShotVm> vm;           // a workspace has none
  std::string name;
  std::map<std::string, std::string> labels;
  std::string checkout;      // the directory of its pyro.yaml; empty where it has none
  std::string project_file;  // its pyro.yaml; empty where it was made by hand
  std::string services_file; // of a fork: where its services are described, without being declared there
  std::string identity_key;  // by which apply finds it again
  Json spec;                 // normal form, null where it was made without one
  Json links = Json::array();
  std::int64_t spec_generation = 0;  // counts applied specs
  std::optional<ReadWith> read_with; // at the last apply; older records do not know
  /// How long what an apply did took: "services.api restart".
  std::map<std::string, std::int64_t> action_cost_ms;

  WorkspaceState state = WorkspaceState::created;
  bool starting = false;              // on its way up, for as long as somebody holds its lock
  std::optional<os::ProcessId> maker; // of one made by hand that is not whole yet
  std::optional<double> destroyed_at; // kept for undo and its snapshots only
  std::string environment;
  std::string backend;
  std::string isolation;
  std::string execution_mode;
  std::optional<os::ProcessId> supervisor;
  std::optional<pid_t> sandbox_pid;
  std::string last_error;
  std::vector<std::string> notes; // what this machine could not give

  int generation = 0; // gen/<N> is the writable directory
  std::vector<HexDigest> layers;
  std::vector<HostDirectory> host_directories;
  ContentBase base;
  std::optional<SyncedBaseline> synced_baseline;
  std::optional<UndoEntry> undo;

  SeedSource seed;
  std::string egress = "none"; // "all", or the hosts
  std::vector<LiveMount> mounts;
  std::vector<PublishedPort> ports; // as they were published last
  std::vector<std::string> secrets; // names only
  std::string user;
  std::string workdir = "/workspace";
  std::map<std::string, std::string> env;
  Limits limits;
  Lifecycle lifecycle;

  double created_at = 0;
  double last_activity_at = 0;
  std::optional<double> expires_at;
  std::int64_t command_count = 0; // of a VM
  std::int64_t reset_count = 0;
  std::optional<double> last_reset_at;
};

} // namespace pyro::store
