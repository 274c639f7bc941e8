#include "placement.hpp"

#include "lease.hpp"
#include "port_carrier.hpp"
#include "told_ports.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/host_requests.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace pyro::node {

namespace {

/// What a file takes of "this machine" is not on the node, or is something else there.
void require_nothing_of_this_machine(const workspace::LoadedProject& project) {
  std::vector<std::string> lines;
  for (const auto& request : project.requests) {
    if (workspace::is_needed(request)) {
      lines.push_back(workspace::to_string(request));
    }
  }
  if (!lines.empty()) {
    throw Error(
        ErrorCode::unavailable,
        "{} takes {} of this machine, which a node does not have: it can be applied here only", project.shown,
        lines.size() == 1 ? std::string("one thing") : fmt::format("{} things", lines.size()))
        .with_output(std::move(lines));
  }
}

place::LeaseRequest
request_for(const workspace::LoadedProject& project, const place::Place& wanted, const std::string& program) {
  const auto& resources = project.spec.environment.resources;
  place::LeaseRequest request;
  request.place = wanted;
  request.program = {program, "serve"};
  request.cpus = resources.cpus;
  request.memory_bytes = resources.memory;
  request.disk_bytes = resources.disk;
  request.time_limit = project.spec.lifecycle.ttl;
  return request;
}

} // namespace

void Placement::check_interrupted() const {
  if (m_manner.callbacks.interrupted && m_manner.callbacks.interrupted()) {
    throw Error(ErrorCode::interrupted, "interrupted while waiting for the lease, which was given back");
  }
}

void Placement::require_not_here(const workspace::LoadedProject& project) {
  const auto listed = m_local.call("list", Json::object());
  for (const auto& workspace : value_at(listed, "workspaces")) {
    if (string_or(workspace, "name", "") == project.spec.name
        && string_or(workspace, "checkout", "") == project.directory) {
      throw Error(ErrorCode::bad_state, "{} lives on this machine", project.spec.name)
          .with_hint("`pyro destroy` takes it away here; then it can be applied elsewhere");
    }
  }
}

Placement::Found Placement::find_or_lease(
    const workspace::LoadedProject& project, const Json& parameters, const place::Place& wanted) {
  Found found;
  std::optional<place::Placed> before = m_records.of_identity(project.identity);
  if (before) {
    found.placed = *before;
    const auto job = look_at_lease(m_records, found.placed);
    before = found.placed;
    if (job.phase == place::JobPhase::running && !found.placed.node.empty()) {
      found.is_new = found.placed.workspace_id.empty();
      return found;
    }
    if (job.phase != place::JobPhase::ended) { // whoever waited for it was killed
      end_lease(found.placed);
    } else if (!found.placed.workspace_id.empty()) {
      m_router.emit("note", fmt::format("{}; it is placed anew", end_sentence(found.placed)));
    }
  } else {
    require_not_here(project);
  }
  if (bool_or(parameters, "dry_run", false) || parameters.contains("plan_id")) {
    throw Error(
        ErrorCode::unavailable, "{} is on no node yet, and what would be done is known there",
        project.spec.name)
        .with_hint("apply it first");
  }
  require_free_ports(m_records, found.placed, project);
  if (before) {
    end_port_carrier(m_records, found.placed);
  }
  found.is_new = true;
  auto& placed = found.placed;
  placed.workspace_id.clear();
  placed.name = project.spec.name;
  placed.identity = project.identity;
  placed.checkout = project.directory;
  placed.place = wanted;
  placed.last = nullptr;
  try {
    begin_lease(
        m_records, placed, request_for(project, wanted, m_manner.program),
        [this](const std::string& text) { m_router.emit("waiting", text); }, [this] { check_interrupted(); });
  } catch (...) {
    if (before && !before->workspace_id.empty()) {
      m_records.save(*before); // it is still lost, and is told to be
    } else {
      m_records.remove(placed);
    }
    throw;
  }
  m_router.emit(
      "note", fmt::format("leased on {}: job {}, node {}", to_string(wanted), placed.job_id, placed.node));
  return found;
}

Json Placement::apply(Json parameters, const place::Place& wanted) {
  const auto project = m_router.load(parameters);
  require_nothing_of_this_machine(project);
  const auto lock = m_router.lock_identity(project.identity, "apply");
  auto [placed, is_new] = find_or_lease(project, parameters, wanted);
  if (!is_new) {
    require_free_ports(m_records, placed, project);
  }
  if (placed.addresses != published_addresses(project)) {
    placed.addresses = published_addresses(project);
    m_records.save(placed);
  }
  parameters["directory"] = project.directory;
  parameters["file"] = project.file;
  parameters.erase("workspace");
  for (const auto* key : {"var_file", "policy"}) {
    if (const auto path = maybe_string(parameters, key); path && !path->empty()) {
      parameters[key] = std::filesystem::absolute(*path).lexically_normal().string();
    }
  }
  Remote remote(m_manner, m_records, placed);
  const auto take_note = [&, &placed = placed] {
    const auto listed = remote.call("list", Json::object());
    for (const auto& workspace : value_at(listed, "workspaces")) {
      if (get_string(workspace, "name") == placed.name) {
        placed.workspace_id = get_string(workspace, "workspace_id");
        placed.last = remote.call("status", {{"workspace", placed.workspace_id}, {"drift", false}});
        m_records.save(placed);
      }
    }
  };
  try {
    auto result = remote.call("apply", parameters, project.file);
    take_note();
    for (const auto& problem :
         fill_ports(m_records, placed, m_manner.program, k_patience_with_ports, result)) {
      m_router.emit("note", "a published port is not carried here: " + problem);
    }
    return result;
  } catch (Error& error) {
    if (is_new && placed.ended.is_null()) { // something of it may be there, to be gone on with
      try {
        take_note();
      } catch (const Error&) { // then it cannot be reached
      }
    }
    if (is_new && placed.workspace_id.empty()) {
      end_port_carrier(m_records, placed);
      end_lease(placed);
      m_records.remove(placed);
    }
    throw error.add_context(
        fmt::format("on {} (job {}, node {})", to_string(placed.place), placed.job_id, placed.node));
  }
}

} // namespace pyro::node
