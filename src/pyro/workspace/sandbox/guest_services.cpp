#include "guest_services.hpp"

#include "ask_if_running.hpp"
#include "delivered_secrets.hpp"
#include "service_failure.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>
#include <pyro/protocol/requests.hpp>

#include <cstdlib>
#include <filesystem>

namespace pyro::workspace {

namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>; // clang 14 needs it said

protocol::Probe probe_of(const spec::Check& check) {
  protocol::Probe probe;
  std::visit(
      Overloaded{
          [&](const spec::ExecProbe& exec) {
            probe.kind = protocol::ProbeKind::exec;
            probe.argv = exec.command.argv();
          },
          [&](const spec::HttpProbe& http) {
            probe.kind = protocol::ProbeKind::http;
            probe.host = http.host;
            probe.port = http.port;
            probe.http_path = http.path;
            probe.method = http.method;
            probe.headers = http.headers;
            probe.status.clear();
            for (const auto& range : http.status) {
              probe.status.push_back({range.first, range.last});
            }
          },
          [&](const spec::TcpProbe& tcp) {
            probe.kind = protocol::ProbeKind::tcp;
            probe.host = tcp.host;
            probe.port = tcp.port;
          },
          [&](const spec::FileProbe& file) {
            probe.kind = protocol::ProbeKind::file;
            probe.file = file.path;
          },
          [&](const spec::LogProbe& log) {
            probe.kind = protocol::ProbeKind::log;
            probe.pattern = log.pattern;
            probe.regex = log.regex;
          },
      },
      check);
  return probe;
}

protocol::Probe readiness_of(const spec::Readiness& readiness) {
  auto probe = probe_of(readiness.check);
  probe.interval_ms = readiness.interval ? readiness.interval->count() : 0;
  probe.timeout_ms = readiness.timeout.count();
  probe.deadline_ms = readiness.deadline.count();
  probe.successes = readiness.successes;
  probe.watch = readiness.watch;
  return probe;
}

protocol::Probe liveness_of(const spec::Liveness& liveness) {
  auto probe = probe_of(liveness.check);
  probe.interval_ms = liveness.interval.count();
  probe.timeout_ms = liveness.timeout.count();
  probe.failures = liveness.failures;
  return probe;
}

const std::string& user_of(const spec::Service& service, const std::string& default_user) {
  return service.user.empty() ? default_user : service.user;
}

std::vector<SecretFile>
files_of(const spec::Service& service, const spec::Spec& spec, const ServiceDefaults& defaults) {
  auto files = secret_files(spec, defaults.user);
  std::erase_if(files, [&](const SecretFile& file) {
    const bool is_given =
        std::find(service.secrets.begin(), service.secrets.end(), file.name) != service.secrets.end();
    return !is_given || (!file.service.empty() && file.service != service.name);
  });
  return files;
}

protocol::ServiceDefinition definition_of(
    const spec::Spec& spec, const spec::Service& service, const EnvFiles& env_files,
    const std::vector<plan::Link>& chain, const ServiceDefaults& defaults) {
  protocol::ServiceDefinition definition;
  definition.argv = service.command.argv();
  definition.cwd = service.workdir.empty() ? spec.environment.workdir : service.workdir;
  definition.env = defaults.env;
  if (const auto file = env_files.find(service.name); file != env_files.end()) {
    for (const auto& [name, value] : file->second) {
      definition.env[name] = value;
    }
  }
  for (const auto& [name, value] : service.env) {
    definition.env[name] = value;
  }
  for (const auto& [name, value] : secret_variables(files_of(service, spec, defaults))) {
    definition.env.emplace(name, value);
  }
  definition.user = user_of(service, defaults.user);
  definition.oneshot = service.oneshot;
  definition.once_per_content = service.oneshot_per == spec::OneshotPer::content;
  for (const auto& [name, dependency] : service.depends_on) {
    definition.depends_on[name] = {
        static_cast<protocol::DependencyCondition>(dependency.condition), dependency.restart};
  }
  if (service.readiness) {
    definition.readiness = readiness_of(*service.readiness);
  }
  if (service.liveness) {
    definition.liveness = liveness_of(*service.liveness);
  }
  definition.restart = static_cast<protocol::RestartPolicy>(service.restart);
  definition.max_restarts = service.max_restarts;
  definition.timeout_ms = service.timeout ? service.timeout->count() : 0;
  definition.stop_signal = service.stop.signal;
  definition.stop_grace_ms = service.stop.grace.count();
  definition.hint = service.hint;
  definition.definition_digest = plan::service_digest(chain, service.name);
  return definition;
}

} // namespace

std::string SecretFile::path() const {
  return "/run/secrets/" + name + (service.empty() ? "" : "@" + service);
}

std::vector<SecretFile> secret_files(const spec::Spec& spec, const std::string& default_user) {
  std::map<std::string, std::map<std::string, std::string>> users; // secret → service → user
  for (const auto& [name, service] : spec.services) {
    for (const auto& secret : service.secrets) {
      users[secret][name] = user_of(service, default_user);
    }
  }
  std::vector<SecretFile> files;
  for (const auto& [secret, services] : users) {
    const auto& first = services.begin()->second;
    const bool is_one = std::all_of(
        services.begin(), services.end(), [&](const auto& service) { return service.second == first; });
    if (is_one) {
      files.push_back({secret, first, ""});
      continue;
    }
    for (const auto& [service, user] : services) {
      files.push_back({secret, user, service});
    }
  }
  return files;
}

std::map<std::string, std::string> secret_variables(const std::vector<SecretFile>& files) {
  std::map<std::string, std::string> variables;
  for (const auto& file : files) {
    std::string variable;
    for (const char letter : file.name) {
      variable += std::isalnum(static_cast<unsigned char>(letter))
                      ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter)))
                      : '_';
    }
    variables[variable + "_FILE"] = file.path();
  }
  return variables;
}

protocol::ServicesApply service_definitions(
    const spec::Spec& spec, const EnvFiles& env_files, const std::vector<plan::Link>& chain,
    const ServiceDefaults& defaults) {
  protocol::ServicesApply apply;
  for (const auto& [name, service] : spec.services) {
    apply.services[name] = definition_of(spec, service, env_files, chain, defaults);
  }
  return apply;
}

Redactor deliver_secrets(
    backend::ControlClient& client, ProjectSecrets& secrets, const std::vector<SecretFile>& files) {
  for (const auto& file : files) {
    if (const auto* value = secrets.value(file.name)) {
      client.call(
          "/agent/secrets/put",
          protocol::to_json(protocol::SecretPut{file.name, *value, file.user, file.service}));
    }
  }
  NamedValues known(secrets.values().begin(), secrets.values().end());
  for (const auto& note : delivered_secrets(client).value_or(SecretNotes{})) {
    known.emplace_back(note.name, note.value);
  }
  return Redactor(known);
}

protocol::ServiceStatus redacted(protocol::ServiceStatus status, const Redactor& redactor) {
  status.reason = redactor.redact(status.reason);
  status.last_probe = redactor.redact(status.last_probe);
  for (auto& line : status.log_tail) {
    line = redactor.redact(line);
  }
  return status;
}

std::vector<protocol::ServiceStatus> services_status(backend::ControlClient& client) {
  constexpr std::chrono::seconds k_limit{15}; // an agent that runs answers at once, however busy its machine
  const auto result = client.call("/agent/services/status", Json::object(), k_limit);
  return protocol::services_result_from_json(result).services;
}

std::optional<std::vector<protocol::ServiceStatus>>
services_status_if_any(const std::string& control_socket) {
  return ask_if_running(
      control_socket, [](backend::ControlClient& client) { return std::optional(services_status(client)); });
}

std::vector<protocol::ServiceStatus> wait_for_services(
    const Context& context, backend::ControlClient& client, const spec::Spec& spec,
    const std::vector<std::string>& names, const Redactor& redactor,
    const std::function<void(const std::string& service)>& on_ready) {
  if (names.empty()) {
    return {};
  }
  std::optional<Json> answer;
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_message = [&](const Json& message) {
    const auto status = redacted(protocol::service_status_from_json(value_at(message, "service")), redactor);
    context.emit(
        "probe", "services." + status.name, std::string(protocol::name_of(status.state)),
        {{"state", protocol::name_of(status.state)}, {"last_probe", status.last_probe}});
    const bool is_up =
        status.state == protocol::ServiceState::ready || status.state == protocol::ServiceState::completed;
    if (on_ready && is_up) {
      on_ready(status.name);
    }
  };
  events.on_result = [&](const Json& value) {
    answer = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  const auto call = client.open(
      "/agent/services/wait", protocol::to_json(protocol::ServicesWait{names}), std::move(events));
  while (!answer && !failure) {
    client.loop().turn(std::chrono::milliseconds(100));
    context.check_interrupted();
  }
  if (failure) {
    throw *failure;
  }
  auto result = protocol::services_result_from_json(*answer);
  for (auto& status : result.services) {
    status = redacted(std::move(status), redactor);
  }
  if (!result.ok) {
    throw ServicesNotReady(spec, result.services);
  }
  return result.services;
}

void stop_services(
    backend::ControlClient& client, const spec::Spec& spec, const std::vector<std::string>& names) {
  std::chrono::milliseconds patience{15'000};
  for (const auto& name : names) {
    patience += spec.services.at(name).stop.grace;
  }
  client.call("/agent/services/stop", protocol::to_json(protocol::ServicesSelect{names, false}), patience);
}

Json publish_ports(
    backend::ControlClient& client, const spec::Spec& spec, std::vector<store::PublishedPort>& remembered,
    const std::function<bool(const std::string& service)>& is_wanted) {
  auto free_ones = remembered; // that the file leaves to us, each for one port
  for (const auto& [name, service] : spec.services) {
    for (const auto& port : service.ports) {
      std::erase_if(free_ones, [&](const auto& known) { return known.host_port == port.host_port; });
    }
  }
  const auto last = [&](const std::string& service, int port) {
    const auto found = std::find_if(free_ones.begin(), free_ones.end(), [&](const auto& known) {
      return known.service == service && known.port == port;
    });
    const int host_port = found == free_ones.end() ? 0 : found->host_port;
    if (found != free_ones.end()) {
      free_ones.erase(found);
    }
    return host_port;
  };
  Json wanted = Json::array();
  for (const auto& [name, service] : spec.services) {
    for (const auto& port : service.ports) {
      if (!is_wanted(name)) {
        continue;
      }
      wanted.push_back(
          {{"service", name},
           {"address", port.address},
           {"host_port", port.host_port ? *port.host_port : last(name, port.port)},
           {"fixed", port.host_port.has_value()},
           {"port", port.port}});
    }
  }
  const auto answer = client.call("/ports", {{"ports", wanted}});
  const auto& published = value_at(answer, "ports");
  std::erase_if(remembered, [&](const auto& known) {
    return is_wanted(known.service) || !spec.services.contains(known.service);
  });
  for (const auto& port : published) {
    remembered.push_back(
        {get_string(port, "service"), static_cast<int>(get_int(port, "port")),
         static_cast<int>(get_int(port, "host_port")), get_string(port, "address")});
  }
  return published;
}

} // namespace pyro::workspace
