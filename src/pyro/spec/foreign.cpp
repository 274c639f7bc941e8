// Spellings of Compose, Kubernetes and devcontainers, and how to say the same here.
#include "schema.hpp"

#include <array>

namespace pyro::spec {

namespace {

struct Foreign {
  std::string_view shapes; // space-separated; empty: any
  std::string_view key;
  std::string_view hint;
};

constexpr std::array k_foreign{
    Foreign{
        "service", "healthcheck",
        "'healthcheck' is spelled 'readiness' here; 'test' is 'exec', and 'deadline' replaces 'retries'"},
    Foreign{"service", "environment", "variables are spelled 'env' here"},
    Foreign{
        "service", "image",
        "services are processes inside the one workspace; the image is environment.image"},
    Foreign{
        "service", "build",
        "services are processes inside the one workspace; set-up steps are environment.setup"},
    Foreign{"service", "entrypoint", "'entrypoint' is spelled 'command' here"},
    Foreign{"service", "args", "write the whole command as one list in 'command'"},
    Foreign{"service", "working_dir workingDir", "spelled 'workdir' here"},
    Foreign{"service", "volumes", "host directories are the top-level 'mounts' here"},
    Foreign{"service", "readinessProbe startupProbe", "spelled 'readiness' here"},
    Foreign{"service", "livenessProbe", "spelled 'liveness' here"},
    Foreign{"service", "dependsOn", "spelled 'depends_on' here"},
    Foreign{"service", "stop_signal", "spelled 'stop: {signal: …}' here"},
    Foreign{"service", "stop_grace_period", "spelled 'stop: {grace: …}' here"},
    Foreign{"service", "expose", "spelled 'ports' here"},
    Foreign{"service", "networks network_mode", "all services share the workspace's network; see 'network'"},
    Foreign{"service", "container_name hostname", "a service is known by its key"},
    Foreign{
        "service", "mem_limit cpus deploy resources", "sizes belong to the workspace: environment.resources"},
    Foreign{"service", "envFile envfile", "spelled 'env_file' here"},
    Foreign{
        "service", "profiles",
        "profiles are top-level overlays here; a profile removes a service with 'name: null'"},
    Foreign{"readiness liveness", "test", "'test' is spelled 'exec' here"},
    Foreign{"readiness", "retries", "'retries' is replaced by 'deadline', the total time to ready"},
    Foreign{"liveness", "retries", "'retries' is spelled 'failures' here"},
    Foreign{
        "readiness liveness", "start_period startPeriod start_interval",
        "not needed: the first try is at once; set 'deadline'"},
    Foreign{
        "readiness liveness", "initialDelaySeconds", "not needed: the first try is at once; set 'deadline'"},
    Foreign{"readiness liveness", "periodSeconds", "spelled 'interval' here, with a unit: 10s"},
    Foreign{"readiness liveness", "timeoutSeconds", "spelled 'timeout' here, with a unit: 2s"},
    Foreign{
        "readiness", "failureThreshold failures",
        "'deadline', the total time to ready, replaces counting failures"},
    Foreign{"liveness", "failureThreshold", "spelled 'failures' here"},
    Foreign{"liveness", "deadline", "'deadline' belongs to readiness; liveness counts 'failures'"},
    Foreign{"liveness", "log", "output that came once says nothing about now; use exec, http, tcp or file"},
    Foreign{"readiness", "successThreshold", "spelled 'successes' here"},
    Foreign{"readiness liveness", "httpGet", "spelled 'http' here"},
    Foreign{"readiness liveness", "tcpSocket", "spelled 'tcp' here"},
    Foreign{"readiness liveness", "command cmd", "spelled 'exec' here"},
    Foreign{"http", "url", "write 'port' and 'path'"},
    Foreign{"root", "volumes", "host directories are 'mounts' here"},
    Foreign{"root", "networks", "see 'network'"},
    Foreign{"root", "image build dockerFile", "spelled 'environment: {image: …}' here"},
    Foreign{"root", "env", "variables of all services are environment.env"},
    Foreign{"root", "setup onCreateCommand", "set-up steps are environment.setup"},
    Foreign{"root", "postCreateCommand updateContentCommand", "spelled 'prepare' here"},
    Foreign{"root", "postStartCommand", "make it a service with 'oneshot: true'"},
    Foreign{"root", "initializeCommand", "nothing in this file runs on the host"},
    Foreign{"root", "features", "write them as environment.setup steps"},
    Foreign{"root", "forwardPorts", "ports belong to services: services.<name>.ports"},
    Foreign{"root", "remoteUser containerUser user", "spelled 'environment: {user: …}' here"},
    Foreign{"root", "remoteEnv containerEnv", "spelled 'environment: {env: …}' here"},
    Foreign{"root", "workspaceFolder", "spelled 'seed: {to: …}' here"},
    Foreign{"environment", "variables vars", "spelled 'env' here"},
    Foreign{"environment", "working_dir", "spelled 'workdir' here"},
    Foreign{"environment", "cpus memory disk pids", "sizes are in 'resources' here"},
    Foreign{"environment", "steps", "spelled 'setup' here"},
    Foreign{"prepare_step", "egress", "prepare steps reach what 'network: {egress: …}' says"},
    Foreign{"setup_step prepare_step", "command cmd script", "spelled 'run' here"},
    Foreign{"prepare_step", "apt npm pip tools", "set-up steps have it: environment.setup"},
    Foreign{"setup_step", "mise", "spelled 'tools: mise.toml' here"},
    Foreign{"setup_step prepare_step", "name", "spelled 'id' here"},
    Foreign{"resources", "cpu", "spelled 'cpus' here"},
    Foreign{"resources", "mem ram", "spelled 'memory' here"},
    Foreign{"mount", "source", "spelled 'from' here"},
    Foreign{"mount", "target", "spelled 'to' here"},
    Foreign{"mount", "read_only readOnly", "spelled 'mode: ro' here"},
};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) {
      return true;
    }
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

} // namespace

std::string_view foreign_hint(std::string_view shape, std::string_view key) {
  for (const auto& foreign : k_foreign) {
    if (has_word(foreign.shapes, shape) && has_word(foreign.key, key)) {
      return foreign.hint;
    }
  }
  return {};
}

} // namespace pyro::spec
