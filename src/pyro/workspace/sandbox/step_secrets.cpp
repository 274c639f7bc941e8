#include "step_secrets.hpp"

#include "guest_services.hpp"

#include <pyro/workspace/context/request_secrets.hpp>

namespace pyro::workspace {

Redactor give_step_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets,
    const std::vector<std::string>& names, const std::string& user, std::map<std::string, std::string>& env) {
  std::vector<SecretFile> files;
  std::set<std::string> for_requests;
  for (const auto& name : names) {
    const auto secret = project.spec.secrets.find(name);
    if (secret == project.spec.secrets.end()) {
      continue;
    }
    if (secret->second.is_for_requests()) {
      for_requests.insert(name);
    } else {
      files.push_back({name, user, ""});
    }
  }
  if (!for_requests.empty()) {
    put_request_secrets(client, project, secrets, for_requests);
    add_request_variables(env, project.spec, project.directory, for_requests);
  }
  for (const auto& [name, value] : secret_variables(files)) {
    env.emplace(name, value);
  }
  return deliver_secrets(client, secrets, files);
}

} // namespace pyro::workspace
