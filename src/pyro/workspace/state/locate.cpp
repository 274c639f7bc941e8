#include "locate.hpp"

#include "active.hpp"

#include <pyro/base/error.hpp>
#include <pyro/spec/normal_form.hpp>

namespace pyro::workspace {

namespace {

/// A file that cannot be read for the moment must not keep its user from the workspace that it made.
std::optional<std::string> find_by_file(const Context& context, const std::string& file) {
  for (const auto& record : context.records.list()) {
    if (!file.empty() && record.project_file == file) {
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

namespace {

/// What the file says, with the values that were agreed to. False: its name is not known without the host.
bool read_file(
    const Context& context, const Project& project, HostUse use, Located& located, std::string& identity,
    std::string& shown) {
  const auto file = read_project_file(project);
  shown = file.shown;
  auto loaded = use == HostUse::taken ? std::optional(load_project(context, project, file))
                                      : load_if_agreed(context, project, file);
  located.declared = loaded ? loaded->spec : file.spec;
  if (!loaded && !file.spec.environment.ca.empty()) {
    located.declared->complete = false; // the step that it becomes
  }
  identity = loaded ? loaded->identity : file.identity().value_or("");
  if (use == HostUse::taken) {
    located.project = std::move(loaded);
  }
  if (identity.empty()) {
    located.id = find_by_file(context, file.file).value_or("");
  }
  return !identity.empty();
}

/// The file that the record names, for what was found by name or id.
void read_own_file(const Context& context, const Project& project, HostUse use, Located& located) {
  const auto record = context.records.load(located.id);
  const auto& own_file = record.project_file;
  const auto& file = own_file.empty() ? record.services_file : own_file;
  if (file.empty()) {
    return;
  }
  Project own = project;
  own.file = file;
  try {
    std::string identity;
    std::string shown;
    auto found = located;
    std::ignore = read_file(context, own, use, found, identity, shown);
    located.declared = std::move(found.declared);
    located.project = std::move(found.project);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::approval_needed) {
      throw;
    }
    return; // the checkout is gone or its file broken: what is recorded has to do
  }
  if (own_file.empty()) {
    choose_ports_anew(*located.declared);
    if (located.project) {
      choose_ports_anew(located.project->spec);
    }
  }
}

} // namespace

Located locate(const Context& context, const std::string& wanted, const Project& project, HostUse use) {
  Located located;
  std::string identity;
  std::string shown;
  if (wanted.empty()) {
    try {
      if (!read_file(context, project, use, located, identity, shown) && !located.id.empty()) {
        return located;
      }
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
  }
  const bool is_named = !wanted.empty() || !identity.empty();
  located.record = is_named ? find_workspace_record(context, wanted, identity) : std::nullopt;
  if (!located.record) {
    remove_abandoned(context); // a killed destroy, or apply, may be why there is none
    remove_unrecorded(context);
    if (!wanted.empty()) {
      throw Error(ErrorCode::not_found, "workspace {} does not exist", wanted)
          .with_hint("`pyro ls` lists what there is");
    }
    throw Error(ErrorCode::not_found, "there is no workspace for {} yet", shown)
        .with_hint("`pyro apply` makes it");
  }
  located.id = located.record->id;
  if (!located.declared) {
    read_own_file(context, project, use, located);
  }
  return located;
}

std::optional<bool> spec_changed(const Located& located, const store::WorkspaceRecord& record) {
  const bool is_declared =
      located.declared && !record.checkout.empty(); // a fork only knows its services' file
  if (is_declared && !located.declared->complete) {
    return std::nullopt;
  }
  return is_declared && spec::normal_form(*located.declared) != record.spec;
}

} // namespace pyro::workspace
