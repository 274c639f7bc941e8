#include "service_records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/spec/applied_spec.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_service_bytes = 1 << 20;

bool is_up(const Json& document) {
  const auto state = string_or(document, "state", "");
  return state == "starting" || state == "running";
}

} // namespace

void check_service_name(const std::string& name) {
  if (name.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "service_name must not be empty");
  }
  try {
    protocol::check_name(name, "the service");
  } catch (const Error&) {
    throw Error(
        ErrorCode::invalid_argument,
        "service_name must match [A-Za-z0-9][A-Za-z0-9._-]* with at most 64 characters, not '{}'",
        name.substr(0, 80));
  }
}

std::string_view state_by_hand(protocol::ServiceState state) {
  using State = protocol::ServiceState;
  switch (state) {
  case State::waiting:
  case State::starting:
    return "starting";
  case State::running:
  case State::ready:
    return "running";
  case State::completed:
  case State::exited:
    return "exited";
  case State::stopped:
    return "stopped";
  case State::failed:
    break;
  }
  return "failed";
}

ServiceRecords::ServiceRecords(const store::WorkspacePaths& paths, const store::WorkspaceRecord& workspace)
    : m_directory(paths.services()), m_reset_count(workspace.reset_count) {
}

std::string ServiceRecords::path_of(const std::string& name) const {
  return m_directory + "/" + name + ".json";
}

std::optional<Json> ServiceRecords::read(const std::string& path) const {
  const auto text = os::maybe_read_file(path, k_most_service_bytes);
  if (!text) {
    return std::nullopt;
  }
  try {
    auto document = parse_json(*text, path);
    store::check_layout_version(document, path);
    if (get_int(document, "reset_count") != m_reset_count) {
      return std::nullopt;
    }
    document.erase("layout_version");
    document.erase("reset_count");
    std::ignore = get_string(document, "service_name");
    std::ignore = get_string(document, "state");
    return document;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::bad_state) {
      throw; // a newer pyro wrote it
    }
    return std::nullopt;
  }
}

std::vector<Json> ServiceRecords::all() const {
  std::vector<Json> documents;
  for (const auto& file : os::list_directory(m_directory)) {
    if (file.ends_with(".json")) {
      if (auto document = read(m_directory + "/" + file)) {
        documents.push_back(std::move(*document));
      }
    }
  }
  return documents;
}

void ServiceRecords::forget_older() const {
  os::remove_old_temporaries(m_directory);
  for (const auto& file : os::list_directory(m_directory)) {
    const auto path = m_directory + "/" + file;
    const bool is_being_written = file.starts_with(".tmp-"); // by somebody who waits for no lock of ours
    if (!is_being_written && (!file.ends_with(".json") || !read(path))) {
      os::remove_tree(path);
    }
  }
}

std::optional<Json> ServiceRecords::find(const std::string& name) const {
  return read(path_of(name));
}

void ServiceRecords::save(Json document) const {
  document["layout_version"] = store::k_layout_version;
  document["reset_count"] = m_reset_count;
  const auto workspace = std::filesystem::path(m_directory).parent_path();
  try {
    ::mkdir(m_directory.c_str(), 0700); // not what is above: a workspace that was deleted meanwhile stays so
    os::write_json_atomically(path_of(get_string(document, "service_name")), document, os::Durable::no);
  } catch (const Error&) {
    if (!os::exists(workspace.string())) {
      throw Error(ErrorCode::invalid_argument, "workspace {} does not exist", workspace.filename().string());
    }
    throw;
  }
}

std::vector<Json> ServiceRecords::without_process(const std::set<std::string>& known) const {
  std::vector<Json> documents;
  for (auto& document : all()) {
    if (known.find(get_string(document, "service_name")) != known.end()) {
      continue;
    }
    if (note_workspace_stopped(document)) {
      save_spare(
          get_string(document, "service_name"), [&] { save(document); }); // the next look says it again
    }
    documents.push_back(std::move(document));
  }
  return documents;
}

void ServiceRecords::remove(const std::string& name) const {
  ::unlink(path_of(name).c_str());
}

void take_status(Json& document, const protocol::ServiceStatus& status) {
  const bool over = status.pid <= 0;
  document["state"] = state_by_hand(status.state);
  document["pid"] = over ? Json() : Json(status.pid);
  document["started_at"] = or_null(status.started_at);
  document["ready_at"] = or_null(status.ready_at);
  document["ended_at"] = or_null(status.ended_at);
  document["exit_code"] = over && status.exit_code ? Json(*status.exit_code) : Json();
  document["restarts"] = status.restarts;
  document["stop_reason"] = or_null(status.stop_reason);
  document["reason"] = or_null(status.reason);
  document["last_probe"] = or_null(status.last_probe);
  if (document["state"] == "failed") {
    document["log_tail"] = status.log_tail;
  }
}

bool note_workspace_stopped(Json& document) {
  if (!is_up(document)) {
    return false;
  }
  document["state"] = "stopped";
  document["stop_reason"] = "workspace_stopped";
  document["pid"] = nullptr;
  document["ended_at"] = os::now_epoch();
  return true;
}

bool has_services(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  return !spec::applied_spec(record.spec).services.empty() || !ServiceRecords(paths, record).all().empty();
}

Json declared_service(const std::string& name) {
  return {{"service_name", name}, {"declared", true}, {"published_ports", Json::array()}};
}

} // namespace pyro::workspace
