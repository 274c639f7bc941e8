#include "own_workspace.hpp"

#include <pyro/base/error.hpp>

namespace pyro::cli {

namespace {

/// "status" of the file's workspace; null: there is none yet.
Json own_status(Session& session, const Json& project) {
  try {
    return session.call("status", project);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) {
      throw;
    }
    return nullptr;
  }
}

} // namespace

Json own_project(Session& session) {
  auto project = session.project();
  const auto wanted = session.arguments().value("workspace");
  if (wanted.empty()) {
    return project;
  }
  const auto status = own_status(session, project);
  const auto own = status.is_object() ? status : session.call("validate", project);
  const auto name = string_or(own, "name", "");
  if (wanted == name || (status.is_object() && get_string(status, "workspace_id").starts_with(wanted))) {
    return project;
  }
  throw Error(
      ErrorCode::usage, "--workspace {}: pyro {} is about the workspace of the file, {}", wanted,
      session.command().name, name.empty() ? "which has no name" : name)
      .with_hint("leave --workspace out, or go with -C DIR where the file of that workspace is");
}

} // namespace pyro::cli
