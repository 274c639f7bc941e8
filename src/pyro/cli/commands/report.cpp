#include <pyro/base/error.hpp>
#include <pyro/base/utc.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/html_report.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/session.hpp>

#include <array>
#include <chrono>
#include <fstream>

namespace pyro::cli {

namespace report_command {

namespace {

constexpr std::string_view k_page = R"(
Writes a page about the workspace: the plan with its reasons, what waits for what, what the last apply spent its time on,
layers and what they cost, services, snapshots, what was changed inside and by whom. It stands alone, without scripts and without anything from elsewhere: an artefact of a job, an attachment.
Nothing is changed. Without a workspace yet it has the plan and the graph alone.

Examples:
  pyro report -o report.html
)";

constexpr std::array k_options{
    Option{"--output", "-o", "FILE", "Where the page goes; default: standard output"},
    k_agree_to_host,
};

/// null where there is no such workspace (yet).
Json if_there(Session& session, const char* operation, const Json& parameters) {
  try {
    return session.call(operation, parameters);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found && error.code() != ErrorCode::bad_state) {
      throw;
    }
    return nullptr;
  }
}

int run(Session& session) {
  const auto where = session.where();
  auto planned = where;
  take_switch(session, "allow-host-compat", planned);
  ReportParts parts;
  parts.made_at = format_utc(std::chrono::system_clock::now(), Subseconds::none);
  parts.plan = value_at(session.call("plan", planned), "plan");
  auto drawing = planned;
  drawing["format"] = "svg";
  parts.graph = session.call("graph", drawing);
  parts.timing = if_there(session, "timing", where);
  parts.status = if_there(session, "status", where);
  parts.drift = parts.status.is_object() ? if_there(session, "diff", where) : Json();
  const auto page = html_report(parts);
  const auto path = session.arguments().value("output");
  if (path.empty()) {
    session.console().out(page);
    return 0;
  }
  std::ofstream file(path, std::ios::trunc);
  file << page << std::flush;
  if (!file) {
    throw Error(ErrorCode::io, "cannot write the report to {}", path);
  }
  session.note("Wrote " + path + ".");
  return 0;
}

} // namespace

} // namespace report_command

constinit const Command k_report{
    .name = "report",
    .summary = "Write a page about the workspace: plan, graph, timings, services, drift",
    .page = report_command::k_page,
    .run = report_command::run,
    .options = report_command::k_options,
};

} // namespace pyro::cli
