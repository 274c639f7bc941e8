#include "locate.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

/// A file that cannot be read for the moment must not keep its user from the workspace that it made.
std::optional<std::string> find_by_file(const Context& context, const std::string& file) {
  for (const auto& record : context.records.list()) {
    if (!file.empty() && string_or(record.metadata, "project_file", "") == file) {
      return record.id;
    }
  }
  return std::nullopt;
}

} // namespace

void choose_ports_anew(spec::Spec& spec) {
  for (auto& [name, service] : spec.services) {
    for (auto& port : service.ports) {
      port.host_port.reset();
    }
  }
}

Located locate(const Context& context, const std::string& wanted, const Project& project) {
  Located located;
  std::string identity;
  if (wanted.empty()) {
    try {
      located.project = load_project(project);
    } catch (const Error& error) {
      const auto id = error.code() == ErrorCode::invalid_file
                          ? find_by_file(context, find_project_file(project))
                          : std::nullopt;
      if (!id) {
        throw;
      }
      context.emit("note", "", fmt::format("{}; using the workspace as it was applied", error.what()));
      located.id = *id;
      return located;
    }
    identity = located.project->identity;
  }
  const auto id = find_workspace(context, wanted, identity);
  if (!id) {
    remove_abandoned(context); // a killed destroy may be why there is none
    if (!wanted.empty()) {
      throw Error(ErrorCode::not_found, "workspace {} does not exist", wanted)
          .with_hint("`pyro ls` lists what there is");
    }
    throw Error(ErrorCode::not_found, "there is no workspace for {} yet", located.project->shown)
        .with_hint("`pyro apply` makes it");
  }
  located.id = *id;
  if (!located.project) {
    const auto record = context.records.load(*id);
    const auto own_file = string_or(record.metadata, "project_file", "");
    const auto file = own_file.empty() ? string_or(record.metadata, "services_file", "") : own_file;
    if (!file.empty()) {
      Project own = project;
      own.file = file;
      try {
        located.project = load_project(own);
        if (own_file.empty()) {
          choose_ports_anew(located.project->spec);
        }
      } catch (const Error&) {
        located.project.reset(); // the checkout is gone or its file broken: what is recorded has to do
      }
    }
  }
  return located;
}

} // namespace pyro::workspace
