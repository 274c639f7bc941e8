// Services of a spec as the agent takes them, and talking to the agent about them.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/plan/recipe.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/spec/spec.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project_secrets.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Of each service, the variables of its env_file.
using EnvFiles = std::map<std::string, std::map<std::string, std::string>>;

/// What services have that say nothing else: the workspace's own.
struct ServiceDefaults {
  std::string user;
  std::map<std::string, std::string> env;
};

/// `chain`: that of the recipe, for their digests. Everything resolved: shells, env files, users, working
/// directories, secrets as NAME_FILE variables.
protocol::ServicesApply service_definitions(
    const spec::Spec& spec, const EnvFiles& env_files, const std::vector<plan::Link>& chain,
    const ServiceDefaults& defaults);

/// One file of a secret inside: only its user reads it.
struct SecretFile {
  std::string name;
  std::string user;
  std::string service; // empty: whoever is given the secret has this user

  std::string path() const;
};

/// Those of the services: one for each secret, or one for each service where services of several users are
/// given the same one.
std::vector<SecretFile> secret_files(const spec::Spec& spec, const std::string& default_user);

/// Puts secret values into the sandbox's /run/secrets. Returns what takes them, and those that it had before,
/// out of whatever the sandbox says.
Redactor deliver_secrets(
    backend::ControlClient& client, ProjectSecrets& secrets, const std::vector<SecretFile>& files);

/// The variables by which a process finds its secrets: {"NPM_TOKEN_FILE", "/run/secrets/npm_token"}.
std::map<std::string, std::string> secret_variables(const std::vector<SecretFile>& files);

/// Waits until every service is ready, with events; throws ServicesNotReady (service_failure.hpp). `on_ready`
/// is told of each as it becomes ready, whatever becomes of the others.
std::vector<protocol::ServiceStatus> wait_for_services(
    const Context& context, backend::ControlClient& client, const spec::Spec& spec,
    const std::vector<std::string>& names, const Redactor& redactor,
    const std::function<void(const std::string& service)>& on_ready = {});

/// Stops those of the file in their order, each with its own signal and grace.
void stop_services(
    backend::ControlClient& client, const spec::Spec& spec, const std::vector<std::string>& names);

/// The same status without secrets in what the service, its probe or the agent said.
protocol::ServiceStatus redacted(protocol::ServiceStatus status, const Redactor& redactor);

/// Makes the supervisor publish the ports of those services of the spec, and no others. `remembered` holds
/// the host ports of this workspace so that they stay the same; it is brought up to date. Returns [{service,
/// address, host_port, port}].
Json publish_ports(
    backend::ControlClient& client, const spec::Spec& spec, std::vector<store::PublishedPort>& remembered,
    const std::function<bool(const std::string& service)>& is_wanted);

std::vector<protocol::ServiceStatus> services_status(backend::ControlClient& client);
/// The same where a sandbox may run; nullopt: none does, or it has just ended.
std::optional<std::vector<protocol::ServiceStatus>> services_status_if_any(const std::string& control_socket);

} // namespace pyro::workspace
