#include <pyro/base/interruption.hpp>
#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/flag_values.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <thread>

namespace pyro::cli {

namespace events_command {

namespace {

constexpr std::string_view k_page = R"(
Shows what was done with workspaces of this state directory, by whomever: operations that change something, and what each
action of them was about. What nobody asked for is there too, as done by the supervisor: a time to live or an idle time
that is over, a limit that is reached, a sandbox that died, services that are restarted, fail or end. With -o jsonl (and
--json --follow) one line of JSON for each. The last few MiB are kept.

Examples:
  pyro events
  pyro events -w shop --follow
  pyro events -o jsonl --tail 1000 | jq 'select(.kind == "operation_error")'
  pyro events -o jsonl --follow | jq 'select(.operation == "supervisor")'
)";

constexpr std::array k_options{
    Option{"--tail", "-n", "N", "Only the last ones; default: 100"},
    Option{"--follow", "-f", "", "Go on as things are done"},
};

constexpr std::chrono::milliseconds k_pause{200};

bool is_failure(const std::string& kind) {
  return kind.ends_with("_error") || kind == "service_failed";
}

std::string what_of(const std::string& kind, const std::string& text) {
  if (kind == "operation_start") {
    return "begins";
  }
  if (kind == "operation_complete") {
    return "done";
  }
  return (is_failure(kind)           ? "failed: "
          : kind == "service_exited" ? "ended: "
          : kind == "sandbox_end"    ? "the sandbox ended: "
                                     : "")
         + text;
}

bool is_bad(const std::string& kind) {
  return is_failure(kind) || kind == "limit_reached" || kind == "sandbox_end";
}

std::string line_of(const Json& event, Style style) {
  const auto kind = text_at(event, "kind");
  const auto workspace = text_at(event, "workspace");
  const auto address = text_at(event, "address");
  const auto what = what_of(kind, text_at(event, "text"));
  const auto took = maybe_int(event, "duration_ms");
  auto line = fmt::format(
      "{} {} {}{}: {}", style.dim(utc_at(event, "ts")), text_at(event, "op_id"), text_at(event, "operation"),
      workspace.empty() ? "" : " " + workspace,
      (address.empty() ? "" : address + " ") + (is_bad(kind) ? style.red(what) : what));
  return took ? line + fmt::format(" ({})", format_elapsed(std::chrono::milliseconds(*took))) : line;
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  const auto tail = tail_from<std::int64_t>(arguments.value("tail", "100"), "events");
  Json parameters{{"tail", tail}};
  if (const auto workspace = arguments.value("workspace"); !workspace.empty()) {
    parameters["workspace"] = workspace;
  }
  const bool is_json = session.format() == Format::json || session.format() == Format::jsonl;
  const bool is_document = session.format() == Format::json && !arguments.has("follow");
  for (;;) {
    const auto page = session.call("events", parameters);
    if (is_document) {
      session.show(page, [](const Json&) { return std::string(); });
      return 0;
    }
    for (const auto& event : list_at(page, "events")) {
      if (is_json) {
        session.show_json_line(event);
      } else {
        session.show_line(line_of(event, session.out_style()));
      }
    }
    if (!arguments.has("follow")) {
      if (!is_json && list_at(page, "events").empty() && tail > 0) {
        const auto whom = arguments.value("workspace");
        session.note(whom.empty() ? "Nothing is noted yet." : "Nothing is noted of " + whom + ".");
      }
      return 0;
    }
    parameters["cursor"] = get_string(page, "cursor");
    std::this_thread::sleep_for(k_pause);
  }
}

} // namespace

} // namespace events_command

constinit const Command k_events{
    .name = "events",
    .summary = "Show what was done, and follow it",
    .page = events_command::k_page,
    .run = events_command::run,
    .options = events_command::k_options,
    .takes = Takes::workspace | Takes::document,
};

} // namespace pyro::cli
