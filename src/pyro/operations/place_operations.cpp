#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/place/capacity.hpp>
#include <pyro/workspace/context/context.hpp>

namespace pyro::operations {

namespace {

Operation place_list_operation() {
  const auto place = result(
      {{"on", text("As apply takes it: here, slurm:PARTITION")},
       {"kind", choice({"here", "slurm"}, "")},
       {"available", flag("Could something be placed there?")},
       {"reason", text("Why not")},
       {"default", flag("The partition that Slurm takes where none is named")},
       {"nodes", number("Of the partition")},
       {"usable_nodes", number("Neither down nor drained")},
       {"cpus", number("Of all of it")},
       {"idle_cpus", number("Of those, free now")},
       {"memory_mib", number("Of this machine, or of the smallest node")},
       {"time_limit", text("The longest that a lease can be, as Slurm writes it")},
       {"workspaces", number("Of yours, whose lease has not ended as far as is known here")}},
      {"on", "kind", "available", "reason"});
  return {
      .name = "place_list",
      .summary = "Where workspaces can be placed, and what is free there: this machine, partitions of Slurm",
      .parameters_schema = parameters({{"on", text("Only this one")}}),
      .result_schema = result({{"places", list_of(place, "This machine first")}}, {"places"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return place::describe_places(
            place::PlacedRecords(context.workspaces.base.root()), string_or(given, "on", ""));
      }};
}

} // namespace

Json place_schema() {
  return or_null(result(
      {{"on", text("slurm:PARTITION")},
       {"job", text("The lease's")},
       {"node", text("Where it runs, or ran")},
       {"job_state", text("As Slurm has it: RUNNING, TIMEOUT, NODE_FAIL, …")},
       {"since", epoch("When the lease was asked for")},
       {"ends_at", epoch("When its time is over; absent where nothing limits it")},
       {"port_problems", list_of(text(""), "Why published ports are not carried to this machine")},
       {"refused", result(
                       {{"port", number("Inside")},
                        {"reason", text("For people")},
                        {"at", epoch("When")},
                        {"count", number("How many there were")}},
                       {"port", "reason", "at", "count"})},
       {"lost", list_of(text(""), "Where the lease has ended: what went with it")}},
      {"on", "job", "node"}));
}

std::vector<Operation> place_operations() {
  return {place_list_operation()};
}

} // namespace pyro::operations
