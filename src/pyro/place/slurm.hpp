// Slurm by its own programs: sbatch, scontrol, scancel, sinfo and srun. They get a made environment (and the
// caller's SLURM_CONF), their arguments as a list, names that were checked (place.hpp), and a time limit.
#pragma once

#include "place.hpp"

#include <pyro/os/process.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::place {

/// What a lease asks for: a batch job with one task on one node.
struct LeaseRequest {
  Place place;
  std::string job_name;             // ours, by which it is found again
  std::vector<std::string> program; // its foreground process; absolute path
  int cpus = 1;
  std::uint64_t memory_bytes = 0;                      // 0: the partition's default
  std::uint64_t disk_bytes = 0;                        // of the node's own disk; 0: any
  std::optional<std::chrono::milliseconds> time_limit; // nullopt: the partition's default
};

enum class JobPhase {
  waiting, // for its turn
  running,
  ended,
};

/// One job as Slurm knows it.
struct Job {
  std::string id;
  JobPhase phase = JobPhase::ended;
  std::string state;          // RUNNING, CANCELLED, TIMEOUT, NODE_FAIL, …; UNKNOWN: forgotten by now
  std::string reason;         // why it waits, or ended; empty: nothing is said
  std::string node;           // where it runs or ran; empty: nowhere yet
  bool is_completing = false; // its node still cleans up
  std::int64_t restarts = 0;  // how often it was put back into the queue
  double ends_at = 0;         // epoch seconds: when its time is over, or was; 0: not known, or never

  /// Its processes stand still, and its node goes on with others.
  bool is_suspended() const { return state == "SUSPENDED"; }
};

/// One partition: its nodes and what of it is free.
struct Partition {
  std::string name;
  bool is_up = false;
  bool is_default = false;
  std::string time_limit; // as Slurm writes it: 1-00:00:00, infinite
  std::int64_t nodes = 0;
  std::int64_t usable_nodes = 0; // neither down nor drained
  std::int64_t cpus = 0;
  std::int64_t idle_cpus = 0;
  std::int64_t memory_mib = 0; // of the smallest node
};

/// What Slurm's programs get of ours. Error(unavailable) where SLURM_CONF cannot be read.
os::Variables environment_of_slurm();

/// Are Slurm's programs on this machine?
bool has_slurm();

/// Submits the job. Returns its id. Error(unavailable) with what Slurm says where it refuses: no such
/// partition, more asked for than any node has.
std::string submit(const LeaseRequest& request);

/// A job by its id. One that Slurm has forgotten has ended, in state UNKNOWN. Error(unavailable) where
/// Slurm does not answer.
Job job(const std::string& id);

/// The id of the job of ours that has this name; nullopt: there is none (any more).
std::optional<std::string> job_named(const std::string& name);

/// Ends it; one that has ended already is fine.
void cancel(const std::string& id);

/// Error(unavailable) where Slurm does not answer.
std::vector<Partition> partitions();

/// srun(1) for a step that shares the lease: `program` runs on its node, with the given descriptors as its
/// standard streams.
os::Command step(const std::string& job_id, const std::vector<std::string>& program);

/// Of what scontrol(1) says in one line: the value of a key; empty: it is not there.
std::string value_of(std::string_view line, std::string_view key);

/// "JOB=1 …" → Job.
Job parse_job(std::string_view line);

/// A line of sinfo(1) as partitions() asks for it; nullopt: it is none.
std::optional<Partition> parse_partition(std::string_view line);

/// Never to be had, however long it waits? By the reason that Slurm gives of a waiting job.
bool is_hopeless(std::string_view reason);

} // namespace pyro::place
