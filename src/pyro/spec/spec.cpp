#include "spec.hpp"

#include <pyro/base/text.hpp>

#include <fmt/ranges.h>

#include <algorithm>

namespace pyro::spec {

std::string_view name_of(Isolation value) {
  return value == Isolation::vm ? "vm" : (value == Isolation::sandbox ? "sandbox" : "host");
}

std::string_view name_of(GitMode value) {
  return value == GitMode::all ? "all" : (value == GitMode::tracked ? "tracked" : "tracked+untracked");
}

std::string_view name_of(OnChange value) {
  return value == OnChange::reset ? "reset" : (value == OnChange::sync ? "sync" : "keep");
}

std::string_view name_of(Condition value) {
  return value == Condition::started ? "started" : (value == Condition::ready ? "ready" : "completed");
}

std::string_view name_of(RestartPolicy value) {
  return value == RestartPolicy::no ? "no" : (value == RestartPolicy::always ? "always" : "on-failure");
}

std::string_view name_of(OneshotPer value) {
  return value == OneshotPer::start ? "start" : "content";
}

std::string_view name_of(CaptureServices value) {
  return value == CaptureServices::running ? "running" : "stopped";
}

bool stops_for_ready_point(const std::map<std::string, Snapshot>& snapshots) {
  return std::any_of(snapshots.begin(), snapshots.end(), [](const auto& entry) {
    return entry.second.at == "ready" && entry.second.services == CaptureServices::stopped;
  });
}

std::string_view name_of(MemoryMode value) {
  return value == MemoryMode::automatic ? "auto" : (value == MemoryMode::on ? "true" : "false");
}

std::string_view name_of(DriftPolicy value) {
  return value == DriftPolicy::report ? "report" : (value == DriftPolicy::reset ? "reset" : "fail");
}

std::string_view name_of(LifecycleAction value) {
  return value == LifecycleAction::stop ? "stop" : "destroy";
}

std::string_view name_of(MountMode value) {
  return value == MountMode::read_only ? "ro" : "rw";
}

std::string_view name_of(CacheShare value) {
  return value == CacheShare::checkout ? "checkout" : "machine";
}

std::vector<std::string> Command::argv() const {
  return list.empty() ? std::vector<std::string>{"/bin/sh", "-c", shell} : list;
}

std::string to_string(const Egress& egress) {
  switch (egress.kind) {
  case EgressKind::none:
    return "none";
  case EgressKind::all:
    return "all";
  case EgressKind::hosts:
    break;
  }
  return fmt::format("{}", fmt::join(egress.hosts, ", "));
}

Egress egress_from_text(const std::string& text) {
  if (text == "none" || text == "all") {
    return {text == "all" ? EgressKind::all : EgressKind::none, {}};
  }
  Egress egress{EgressKind::hosts, fields_of(text, ',')};
  for (auto& host : egress.hosts) {
    host.erase(0, host.find_first_not_of(' '));
  }
  return egress;
}

std::string_view kind_of(const Check& check) {
  constexpr std::string_view k_kinds[] = {"exec", "http", "tcp", "file", "log"};
  return k_kinds[check.index()];
}

std::string to_string(const Port& port) {
  if (!port.host_port) {
    return std::to_string(port.port);
  }
  return port.address == "127.0.0.1" ? fmt::format("{}:{}", *port.host_port, port.port)
                                     : fmt::format("{}:{}:{}", port.address, *port.host_port, port.port);
}

StringMap effective_env(const Service& service, const Environment& environment) {
  StringMap result = service.env;
  result.insert(environment.env.begin(), environment.env.end());
  return result;
}

namespace {

/// Is `below` the same address, or that of a part?
bool is_at_or_below(std::string_view below, std::string_view address) {
  return below.starts_with(address)
         && (below.size() == address.size() || below[address.size()] == '.' || below[address.size()] == '[');
}

} // namespace

std::set<std::string> Spec::variables_of(std::string_view address) const {
  std::set<std::string> names;
  for (auto entry = variables_at.lower_bound(std::string(address)); entry != variables_at.end(); ++entry) {
    if (!entry->first.starts_with(address)) {
      break;
    }
    if (is_at_or_below(entry->first, address)) {
      names.insert(entry->second.begin(), entry->second.end());
    }
  }
  return names;
}

bool Spec::is_reached(const std::string& profile_name, std::string_view address) const {
  const auto reach = reach_of_profiles.find(profile_name);
  return reach != reach_of_profiles.end()
         && std::any_of(reach->second.begin(), reach->second.end(), [&](const std::string& touched) {
              return is_at_or_below(address, touched) || is_at_or_below(touched, address);
            });
}

std::string placeholder_variable(const std::string& name, const Secret& secret) {
  if (secret.source == SecretSource::env) {
    return secret.from;
  }
  std::string variable = name.front() >= '0' && name.front() <= '9' ? "_" : "";
  for (const char c : name) {
    variable += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

bool has_request_secrets(const Spec& spec) {
  return std::any_of(spec.secrets.begin(), spec.secrets.end(), [](const auto& entry) {
    return entry.second.is_for_requests();
  });
}

Position Spec::place(std::string_view address) const {
  while (!address.empty()) {
    if (const auto found = positions.find(std::string(address)); found != positions.end()) {
      return found->second;
    }
    const auto cut = address.find_last_of(".[");
    address = address.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
  return {};
}

} // namespace pyro::spec
