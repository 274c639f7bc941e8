#include "argument_limits.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/protocol/kernel_limits.hpp>
#include <pyro/protocol/message.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>

namespace pyro::workspace {

namespace {

using Variables = std::map<std::string, std::string>;

void check(
    const spec::Spec& spec, const std::string& address, const std::vector<std::string>& argv,
    const Variables& env) {
  try {
    protocol::check_kernel_limits(argv, env);
  } catch (Error& error) {
    throw error.add_context(address).at(spec.place(address));
  }
}

void check_steps(const spec::Spec& spec, const std::vector<spec::Step>& steps, const std::string& prefix) {
  for (const auto& step : steps) {
    check(spec, prefix + step.id, {"/bin/sh", "-ec", step.run}, step.env);
  }
}

/// They are sent together.
void check_sum(const spec::Spec& spec, const protocol::ServicesApply& services) {
  std::size_t all = 0;
  std::size_t most = 0;
  std::string largest;
  for (const auto& [name, definition] : services.services) {
    const auto size =
        protocol::to_json(definition).dump(-1, ' ', false, Json::error_handler_t::replace).size();
    all += size;
    if (size > most) {
      most = size;
      largest = name;
    }
  }
  if (all > protocol::k_max_request) {
    throw Error(
        ErrorCode::invalid_argument, "the services have {} of commands and variables together; {} at most",
        format_bytes(all), format_bytes(protocol::k_max_request))
        .at(spec.place("services." + largest))
        .with_hint(fmt::format("most of it, {}, is of {}: pass it in a file", format_bytes(most), largest));
  }
}

} // namespace

void check_step_limits(const spec::Spec& spec) {
  check_steps(spec, spec.environment.setup, "environment.setup.");
  check_steps(spec, spec.prepare, "prepare.");
}

void check_service_limits(const LoadedProject& project, const ResolvedInputs& resolved) {
  const auto& spec = project.spec;
  const auto services =
      service_definitions(spec, resolved.env_files, resolved.chain, {"", spec.environment.env});
  for (const auto& [name, definition] : services.services) {
    const auto address = "services." + name;
    check(spec, address, definition.argv, definition.env);
    for (const auto& [probe, field] :
         {std::pair(&definition.readiness, ".readiness"), std::pair(&definition.liveness, ".liveness")}) {
      if (*probe) {
        check(spec, address + field, (*probe)->argv, definition.env);
      }
    }
  }
  check_sum(spec, services);
}

} // namespace pyro::workspace
