// What is known of the services that were started by hand, one record each in <ws>/services/: so that another
// process, and one that comes after the sandbox has ended, can tell. A record is the document that callers
// get, plus which sandbox it is of.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Throws Error(invalid_argument) `service_name must not be empty`, `service_name must match …`.
void check_service_name(const std::string& name);

class ServiceRecords {
public:
  /// Records from before the last reset of `workspace` count as gone.
  ServiceRecords(const store::WorkspacePaths& paths, const store::WorkspaceRecord& workspace);

  /// By name; damaged ones are left out.
  std::vector<Json> all() const;
  std::optional<Json> find(const std::string& name) const;
  /// Removes what is from before the last reset.
  void forget_older() const;
  /// Writes it, as one of the sandbox that runs now. Not durable: it is told anew by the next look.
  void save(Json document) const;
  /// Those that no agent tells of, which are `known`: they have ended at the latest with their sandbox, and
  /// the records say so from now on.
  std::vector<Json> without_process(const std::set<std::string>& known) const;
  /// Fine where there is none.
  void remove(const std::string& name) const;

private:
  std::string path_of(const std::string& name) const;
  std::optional<Json> read(const std::string& path) const;

  std::string m_directory;
  std::int64_t m_reset_count;
};

/// A service's document brought up to what the agent says of it, word for word: secrets are the caller's
/// business.
void take_status(Json& document, const protocol::ServiceStatus& status);
/// The sandbox has ended, or is another one, since the document said that it runs. True: changed.
bool note_workspace_stopped(Json& document);
/// Does the file declare any, or are there some by hand?
bool has_services(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);
/// The document of a service that pyro.yaml declares.
Json declared_service(const std::string& name);

/// The agent's states in the words of the by-hand family: starting, running, exited, stopped, failed.
std::string_view state_by_hand(protocol::ServiceState state);

} // namespace pyro::workspace
