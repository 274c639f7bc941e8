#include "vm_flags.hpp"

#include "attach.hpp"

namespace pyro::cli {

Json vm_parameters_of(const Session& session) {
  Json parameters{{"environment", session.arguments().operands.front()}};
  for (const auto* flag : {"name", "network-policy", "backend"}) {
    take_text(session, flag, parameters);
  }
  for (const auto* flag : {"vcpu-count", "mem-mib", "ttl-seconds"}) {
    take_number(session, flag, parameters);
  }
  take_switch(session, "allow-host-compat", parameters);
  return parameters;
}

int exec_in_vm(Session& session, std::string_view operation, const Json& vm) {
  auto request = by_hand_exec_request(session);
  request.user = session.arguments().value("user");
  if (session.format() == Format::text) {
    const auto result = session.engine().stream_vm_exec(vm, request, own_streams(session));
    session.finish_progress();
    return exit_status_of_result(session, result);
  }
  auto parameters = vm;
  parameters["argv"] = request.argv;
  parameters["cwd"] = request.cwd;
  parameters["user"] = request.user;
  parameters["env"] = request.env;
  parameters["timeout_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(request.timeout).count();
  const auto result = session.call(operation, parameters);
  session.show(result, [](const Json& document) { return dump_json(document); });
  return static_cast<int>(get_int(result, "exit_code"));
}

} // namespace pyro::cli
