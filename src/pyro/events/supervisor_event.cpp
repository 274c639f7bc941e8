#include "supervisor_event.hpp"

namespace pyro::events {

Json supervisor_event(
    const Supervised& sandbox, std::string_view kind, std::string_view address, std::string_view text,
    std::string_view code) {
  Json event{
      {"op_id", sandbox.op_id},
      {"operation", "supervisor"},
      {"kind", kind},
      {"address", address},
      {"text", text},
      {"workspace_id", sandbox.workspace_id},
      {"workspace", sandbox.workspace}};
  if (!code.empty()) {
    event["code"] = code;
  }
  return event;
}

} // namespace pyro::events
