#include "capacity.hpp"

#include "slurm.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <thread>
#include <unistd.h>

namespace pyro::place {

namespace {

std::int64_t workspaces_on(const std::vector<Placed>& all, const std::string& partition) {
  return std::count_if(all.begin(), all.end(), [&](const Placed& placed) {
    return placed.place.partition == partition && !placed.workspace_id.empty() && placed.ended.is_null();
  });
}

Json describe_here() {
  const auto memory = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return {
      {"on", "here"},
      {"kind", "here"},
      {"available", true},
      {"reason", ""},
      {"cpus", std::thread::hardware_concurrency()},
      {"memory_mib", memory >> 20}};
}

Json describe(const Partition& partition, const std::vector<Placed>& all) {
  const bool is_available = partition.is_up && partition.usable_nodes > 0;
  return {
      {"on", "slurm:" + partition.name},
      {"kind", "slurm"},
      {"available", is_available},
      {"reason", is_available       ? ""
                 : !partition.is_up ? "the partition is down"
                                    : "all its nodes are down or drained"},
      {"default", partition.is_default},
      {"nodes", partition.nodes},
      {"usable_nodes", partition.usable_nodes},
      {"cpus", partition.cpus},
      {"idle_cpus", partition.idle_cpus},
      {"memory_mib", partition.memory_mib},
      {"time_limit", partition.time_limit},
      {"workspaces", workspaces_on(all, partition.name)}};
}

} // namespace

Json describe_places(const PlacedRecords& records, const std::string& only) {
  const auto wanted = only.empty() ? Place() : parse_place(only);
  Json places = Json::array();
  if (only.empty() || wanted.kind == PlaceKind::here) {
    places.push_back(describe_here());
  }
  if (only.empty() ? has_slurm() : wanted.kind == PlaceKind::slurm) {
    const auto all = records.all();
    try {
      for (const auto& partition : partitions()) {
        if (only.empty() || partition.name == wanted.partition) {
          places.push_back(describe(partition, all));
        }
      }
    } catch (const Error& error) {
      if (!only.empty() || error.code() != ErrorCode::unavailable) {
        throw;
      }
      const auto& output = error.output();
      places.push_back(
          {{"on", "slurm"},
           {"kind", "slurm"},
           {"available", false},
           {"reason", output.empty() ? error.message() : output.back()}});
    }
  }
  if (places.empty()) {
    throw Error(ErrorCode::not_found, "Slurm has no partition '{}'", wanted.partition)
        .with_hint("`pyro on` lists the places");
  }
  return {{"places", std::move(places)}};
}

} // namespace pyro::place
