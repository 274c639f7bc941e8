#include "machine_parameters.hpp"

#include <pyro/base/error.hpp>

namespace pyro::operations {

namespace {

constexpr std::int64_t k_default_timeout = 30;

} // namespace

workspace::VmRequest vm_request_of(const Json& given) {
  workspace::VmRequest request;
  request.environment = get_string(given, "environment");
  request.name = string_or(given, "name", "");
  const auto number = [&](const char* key, int otherwise) {
    constexpr std::int64_t k_far_outside = 1 << 30; // refused later, like all that is outside
    return static_cast<int>(std::clamp(int_or(given, key, otherwise), -k_far_outside, k_far_outside));
  };
  request.vcpu_count = number("vcpu_count", request.vcpu_count);
  request.mem_mib = number("mem_mib", request.mem_mib);
  request.ttl_seconds = int_or(given, "ttl_seconds", request.ttl_seconds);
  request.network_policy = string_or(given, "network_policy", "");
  request.backend = string_or(given, "backend", request.backend);
  request.allow_host_compat = bool_or(given, "allow_host_compat", false);
  return request;
}

void read_command_options(const Json& given, workspace::ExecRequest& request) {
  request.cwd = string_or(given, "cwd", "");
  request.env = string_map_or_empty(given, "env");
  request.user = string_or(given, "user", "");
  const auto seconds = int_or(given, "timeout_seconds", k_default_timeout);
  if (seconds <= 0) {
    throw Error(ErrorCode::invalid_argument, "timeout_seconds must be positive");
  }
  request.timeout = std::chrono::seconds(seconds);
}

workspace::ExecRequest vm_command_of(const Json& given) {
  workspace::ExecRequest request;
  const auto command = string_or(given, "command", "");
  request.argv = strings_or_empty(given, "argv");
  if (command.empty() == request.argv.empty()) {
    throw Error(ErrorCode::invalid_argument, "give the command either as 'command' or as 'argv'");
  }
  if (request.argv.empty()) {
    request.argv = {"/bin/sh", "-c", command};
  }
  read_command_options(given, request);
  return request;
}

} // namespace pyro::operations
