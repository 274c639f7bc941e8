// What a sandbox is to be, as a value: checked, printed and sent to the supervisor as JSON before anything is
// done.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend {

/// Environments show some top-level directories of this machine ("usr"); each is an overlay of its own
/// ("part").
struct RootStack {
  std::vector<std::string> layers;    // absolute paths of layer trees, bottom to top
  std::vector<std::string> host_dirs; // names without slash, e.g. "usr"
};

struct Limits {
  std::int64_t cpus = 0;         // 0: no limit
  std::int64_t memory_bytes = 0; // 0: no limit
  std::int64_t pids = 0;         // 0: no limit
  std::int64_t disk_bytes = 0;   // of the writable layer; 0: the default
};

/// A directory of this machine that shows inside, writable, with the ids of the inside (caches of set-up
/// steps).
struct Bind {
  std::string path;   // absolute, on this machine
  std::string target; // absolute, inside; made where missing
};

/// A directory of this machine that shows inside as it is, for as long as the sandbox runs: of one file
/// system, without setuid and devices. As root (os::IdSpace) the files of `owner` belong to `user` inside and
/// the other way round, and what belongs to others to nobody; an ordinary user's ids are what they are
/// everywhere in its sandboxes.
struct LiveMount {
  struct Ids {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
  };

  std::string path;   // absolute, on this machine; opened without following a symlink
  std::string target; // absolute, inside
  bool writable = false;
  Ids owner; // on this machine
  Ids user;  // inside
};

/// A directory of this machine as an image, for machines that cannot see it.
struct PartImage {
  std::string name; // as in RootStack::host_dirs
  std::string path; // absolute; EROFS
};

/// What a virtual machine needs beside the sandbox's description. Paths are absolute.
struct VirtualMachine {
  std::string kernel;
  std::string initrd;                    // with the agent as /init
  std::string kernel_digest;             // of kernel and initrd
  std::vector<std::string> layer_images; // EROFS, as RootStack::layers
  std::vector<PartImage> part_images;    // as RootStack::host_dirs
  std::int64_t cpus = 1;
  std::int64_t memory_mib = 1024;
  std::int64_t scratch_bytes = 0;   // size of the disk for the writable layer
  std::string templates_dir;        // saved guests
  std::int64_t template_budget = 0; // bytes that they may take; 0: none are made or used
  std::string saved;                // a machine that was kept there goes on; empty: a fresh one
};

/// What the supervisor is to start: a sandbox, a virtual machine, or ordinary processes of this machine
/// (backend "host").
enum class LaunchKind { namespaces, host, machine };

struct LaunchSpec {
  LaunchKind kind = LaunchKind::namespaces;
  VirtualMachine machine; // for kinds that are virtual machines
  std::string workspace_id;
  std::string workspace_name; // in events
  std::string events_dir;     // the journal of what it does by itself (events/journal.hpp); empty: none
  std::string hostname;
  std::string
      runtime_dir; // control.sock, exit.json, supervisor.log; also the mount point of the staging area
  std::string generation_dir; // <part>/{upper,work} of the writable layer; made by the launcher where missing
  std::string layers_dir;     // the directory that holds every layer (store/layers)
  RootStack root;
  Limits limits;
  std::vector<Bind> binds;
  std::vector<LiveMount> live_mounts;
  bool tied_to_starter = false; // ends with the process that started it (build sandboxes)
  /// The directory of the generation belongs to this project of its file system, which holds it to
  /// limits.disk_bytes; 0: to none, and the supervisor watches.
  std::uint32_t disk_project = 0;
  bool egress = false; // network beyond loopback
  /// What may be reached (egress/rule.hpp), by a gateway; empty: everything, with pasta.
  std::vector<std::string> egress_rules;
  double expires_at = 0;        // epoch seconds; 0: never
  std::int64_t idle_ms = 0;     // stopped after so long without a client or a connection to a port; 0: never
  bool ports_elsewhere = false; // nobody listens here for what it publishes (ports/port_forwarder.hpp)
  std::string agent_path;       // the static agent
  std::string gateway_path;     // the program pyro-gateway
  std::string cgroup_name;      // unique per started sandbox
};

Json to_json(const LaunchSpec& spec);
/// Throws Error(protocol) naming the key.
LaunchSpec launch_spec_from_json(const Json& value);
/// Throws Error(invalid_argument) for what must never reach the kernel (relative paths, odd names).
void validate(const LaunchSpec& spec);

/// What /etc/machine-id says inside: always the same for one workspace, another one for every fork of it.
/// Empty for build sandboxes, whose layers are shared by many.
std::string machine_id_of(const LaunchSpec& spec);

/// The names of the overlays that make the root: "root", then one per host directory.
std::vector<std::string> parts_of(const RootStack& root);

/// What the supervisor reports when the sandbox is up.
struct Launched {
  int supervisor_pid = 0;
  int sandbox_pid = 0;            // of the agent, on this machine
  std::vector<std::string> notes; // what this machine could not give: "no cgroup limits: ..."
  Json timings;                   // step → microseconds
};

Json to_json(const Launched& launched);
Launched launched_from_json(const Json& value);

} // namespace pyro::backend
