#include <pyro/cli/commands.hpp>
#include <pyro/cli/flag_values.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace network_command {

namespace {

constexpr std::string_view k_page = R"(
Shows what the workspace asked of the network and what became of it, where `network.egress` is a list: connections that
were allowed, and by which rule; what was refused, and why. --hosts counts by host instead; --learn proposes the list that
would have allowed every name that was asked for. The last thousands of lines are kept, until the workspace is destroyed.

Examples:
  pyro network log
  pyro network log --denied
  pyro network log --hosts
  pyro network log --learn
)";

constexpr std::array k_options{
    Option{"--tail", "-n", "N", "Only the last ones; default: 100"},
    Option{"--denied", "", "", "Only what was refused or failed"},
    Option{"--hosts", "", "", "How often each host was asked for"},
    Option{"--learn", "", "", "A list for network.egress that allows what was asked for"},
};

std::string host_of(const Json& record) {
  const auto port = int_or(record, "port", 0);
  const auto host = text_at(record, "host");
  return port == 0 ? host : fmt::format("{}:{}", host, port);
}

std::string coloured(const std::string& verdict, Style style) {
  return verdict == "allowed" ? style.green(verdict) : style.red(verdict);
}

std::string records_text(const Json& answer, Style style) {
  Table table;
  for (const auto& record : list_at(answer, "records")) {
    const auto verdict = text_at(record, "verdict");
    const auto count = int_or(record, "count", 1);
    const auto address = text_at(record, "address");
    const auto reason = text_at(record, "reason");
    const auto by = "by " + text_at(record, "rule");
    const auto why = verdict != "allowed" ? reason : reason.empty() ? by : by + ", " + reason;
    table.add(
        {style.dim(utc_at(record, "at")), coloured(verdict, style), text_at(record, "protocol"),
         host_of(record) + (address.empty() ? "" : " (" + address + ")"),
         count > 1 ? fmt::format("{}x", count) : "", why});
  }
  return table.text();
}

std::string hosts_text(const Json& answer, Style style) {
  Table table;
  table.add({"HOST", "ALLOWED", "DENIED", "FAILED", "LAST", ""});
  for (const auto& host : list_at(answer, "hosts")) {
    const auto reason = text_at(host, "reason");
    const auto rule = text_at(host, "rule");
    table.add(
        {host_of(host), std::to_string(int_or(host, "allowed", 0)), std::to_string(int_or(host, "denied", 0)),
         std::to_string(int_or(host, "failed", 0)), style.dim(utc_at(host, "last_at")),
         reason.empty() ? (rule.empty() ? "" : "by " + rule) : reason});
  }
  return table.text();
}

std::string proposal_text(const Json& answer) {
  std::string text = "network:\n  egress:\n";
  for (const auto& rule : list_at(answer, "proposal")) {
    const auto host = rule.get<std::string>();
    text += "    - " + (host.starts_with('*') ? "\"" + host + "\"" : host) + "\n";
  }
  return text;
}

std::string text_of(const Session& session, const Json& answer) {
  const auto& arguments = session.arguments();
  if (arguments.has("learn")) {
    return list_at(answer, "proposal").empty() ? "no name was asked for yet\n" : proposal_text(answer);
  }
  if (arguments.has("hosts") && !list_at(answer, "hosts").empty()) {
    return hosts_text(answer, session.out_style());
  }
  auto text = records_text(answer, session.out_style());
  if (!text.empty()) {
    return text;
  }
  const auto egress = text_at(answer, "egress");
  return egress == "none" || egress == "all"
             ? fmt::format("nothing is written down: network.egress is {}, no list of hosts\n", egress)
             : "nothing was asked for yet\n";
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  parameters["tail"] = tail_from<std::int64_t>(arguments.value("tail", "100"), "records");
  parameters["denied"] = arguments.has("denied");
  session.show(
      session.call("network_log", parameters), [&](const Json& answer) { return text_of(session, answer); });
  return 0;
}

} // namespace

} // namespace network_command

constinit const Command k_network_log{
    .name = "network log",
    .summary = "Show what was asked of the network, and what was refused",
    .page = network_command::k_page,
    .run = network_command::run,
    .options = network_command::k_options,
};

} // namespace pyro::cli
