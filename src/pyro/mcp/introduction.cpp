#include "introduction.hpp"

#include "revision.hpp"

#include <pyro/operations/version.hpp>

namespace pyro::mcp {

namespace {

constexpr std::string_view k_instructions = "pyro runs commands in disposable workspaces: isolated sandboxes "
                                            "made from the pyro.yaml of a project (apply) or "
                                            "from an image alone (workspace_create). Nothing done in one "
                                            "touches this machine. Try things, look at the diff, "
                                            "snapshot what is worth keeping, and reset rather than repair. A "
                                            "non-zero exit_code is a result, not an error. "
                                            "What is answered with \"pending\" runs on: call_wait has its "
                                            "result. What would lose something fails with "
                                            "approval_needed unless approve is true.";

Json implementation() {
  return {{"name", "pyro"}, {"title", "pyro workspaces"}, {"version", operations::version()}};
}

Json capabilities(Era era) {
  Json all{{"tools", Json::object()}, {"resources", {{"subscribe", true}}}, {"prompts", Json::object()}};
  if (era == Era::modern) {
    all["extensions"] = {{k_tasks_extension, Json::object()}};
  }
  return all;
}

} // namespace

Json initialize_result(const Json& params) {
  const auto wished = params.find("protocolVersion");
  if (wished == params.end() || !wished->is_string()) {
    throw RpcError(k_invalid_params, "initialize: protocolVersion is missing");
  }
  return {
      {"protocolVersion", agreed_revision(wished->get<std::string>())},
      {"capabilities", capabilities(Era::legacy)},
      {"serverInfo", implementation()},
      {"instructions", k_instructions}};
}

Json discover_result() {
  return {
      {"supportedVersions", supported_revisions()},
      {"capabilities", capabilities(Era::modern)},
      {"serverInfo", implementation()},
      {"instructions", k_instructions}};
}

} // namespace pyro::mcp
