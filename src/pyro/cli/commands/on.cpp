#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace on_command {

namespace {

constexpr std::string_view k_page = R"(
Lists where workspaces can be placed and what is free there: this machine, and the partitions of Slurm where its programs
are installed. `pyro apply --on PLACE` places one.

Examples:
  pyro on
  pyro on slurm:short
  pyro on --json | jq -r '.places[] | select(.available) | .on'
)";

constexpr std::array k_operands{Operand{"PLACE", Count::optional, "Only this one"}};

std::string capacity_text(const Json& place) {
  const auto memory = static_cast<std::uint64_t>(int_or(place, "memory_mib", 0)) << 20U;
  if (text_at(place, "kind") == "here") {
    return fmt::format("{}, {}", counted(int_or(place, "cpus", 0), "cpu"), format_bytes(memory));
  }
  if (!place.contains("nodes")) {
    return "";
  }
  return fmt::format(
      "{} of {} usable, {} of {} free, {} each", int_or(place, "usable_nodes", 0),
      counted(int_or(place, "nodes", 0), "node"), int_or(place, "idle_cpus", 0),
      counted(int_or(place, "cpus", 0), "cpu"), format_bytes(memory));
}

std::string places_text(const Json& result, Style style) {
  Table table("");
  for (const auto& place : list_at(result, "places")) {
    const bool is_available = bool_or(place, "available", false);
    const auto limit = text_at(place, "time_limit");
    const auto count = int_or(place, "workspaces", 0);
    table.add(
        {text_at(place, "on"), is_available ? "" : style.red("not available"), capacity_text(place),
         limit.empty() ? "" : "at most " + limit, count > 0 ? counted(count, "workspace") : "",
         text_at(place, "reason")});
  }
  return table.text();
}

int run(Session& session) {
  Json parameters = Json::object();
  if (const auto& operands = session.arguments().operands; !operands.empty()) {
    parameters["on"] = operands.front();
  }
  session.show(session.call("place_list", parameters), [&](const Json& result) {
    return places_text(result, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace on_command

constinit const Command k_on{
    .name = "on",
    .summary = "List where workspaces can be placed, and what is free there",
    .page = on_command::k_page,
    .run = on_command::run,
    .operands = on_command::k_operands,
    .takes = Takes::document,
};

} // namespace pyro::cli
