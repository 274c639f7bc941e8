// Services as text: ps, and what restart and wait did.
#include "render.hpp"
#include "render_parts.hpp"

#include <fmt/format.h>

namespace pyro::cli {

namespace {

std::string ports_of(const Json& status, const std::string& service) {
  std::string text;
  for (const auto& port : list_at(status, "ports")) {
    if (text_at(port, "service") == service) {
      text += fmt::format("{}{} -> {}", text.empty() ? "" : ", ", place_of(port), text_at(port, "port"));
    }
  }
  return text;
}

std::string names_of(const Json& result) {
  std::string names;
  for (const auto& service : list_at(result, "services")) {
    names += (names.empty() ? "" : ", ") + text_at(service, "name");
  }
  return names;
}

std::string took(const Json& result) {
  const auto duration = maybe_int(result, "duration_ms");
  return duration ? fmt::format(" ({} ms)", *duration) : "";
}

} // namespace

std::string render_services(const Json& status, Style style, double now) {
  const auto& services = list_at(status, "services");
  if (services.empty()) {
    return "No services. `services` of pyro.yaml declares some.\n";
  }
  Table table;
  table.add({"NAME", "STATE", "PID", "SINCE", "PORTS"});
  for (const auto& service : services) {
    const auto name = text_at(service, "name");
    const auto pid = int_or(service, "pid", 0);
    const auto ended = epoch_at(service, "ended_at");
    table.add(
        {name, colored_state(text_at(service, "state"), style), pid > 0 ? std::to_string(pid) : "-",
         age_text(pid > 0 || ended == 0 ? epoch_at(service, "started_at") : ended, now),
         ports_of(status, name)});
  }
  return table.text();
}

std::string place_of(const Json& port) {
  const auto url = text_at(port, "url");
  return !url.empty() ? url : text_at(port, "address") + ":" + text_at(port, "host_port");
}

std::string render_ports(const Json& result) {
  Table table;
  for (const auto& port : list_at(result, "ports")) {
    table.add({text_at(port, "service"), text_at(port, "port"), place_of(port)});
  }
  return table.text();
}

std::string render_restarted(const Json& result) {
  return fmt::format("Restarted: {}.{}\n", names_of(result), took(result));
}

std::string render_ready(const Json& result) {
  const auto names = names_of(result);
  const auto state = text_at(result, "state");
  if (names.empty() && state != "started") {
    return fmt::format("It is {}.{}\n", state, took(result));
  }
  return fmt::format(
      "{}.{}\n", names.empty() ? text_at(result, "name") + " is started" : "Ready: " + names, took(result));
}

} // namespace pyro::cli
