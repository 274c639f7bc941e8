// What a pyro.yaml asks of this machine outside of its own directory: the list that a person agrees to once
// (trust.hpp). Pure: nothing is looked at; whether a symlink leads out is found where a path is opened
// (named_path.hpp).
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/spec/spec.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

enum class HostRequestKind {
  command,     // is run as the caller: secrets.<n>.command
  environment, // a variable of the caller: ${env:NAME}, vars.<n>.env, secrets.<n>.env
  path,        // a file, directory or archive that does not lie in the checkout, or one to write to (mounts)
  listen,      // an address of this machine that others reach: services.<s>.ports
  cache,       // a directory that every file of this machine may fill and read: cache with share: machine
  network,     // an address of this machine or of a network around it: network.egress, setup[].egress
  registry,    // your accounts and certificates there, and this machine's own network: environment.image
};

std::string_view name_of(HostRequestKind kind);

struct HostRequest {
  HostRequestKind kind = HostRequestKind::command;
  std::string what; // the command, NAME, absolute path, address, rule or HOST/NAME:TAG; ${env:…} as written
  std::string address; // in the file: "secrets.token"
  Position place;      // where that is; no part of what is agreed to

  bool operator==(const HostRequest& other) const;
  bool operator<(const HostRequest& other) const;
};

/// Nothing goes on without it? False for an image of a public registry: without an agreement it is fetched as
/// a stranger would (RegistryAccess::anonymous).
bool is_needed(const HostRequest& request);

/// Sorted, no two alike.
using HostRequests = std::vector<HostRequest>;

/// `directory` is the checkout: that of the file, absolute and normal.
HostRequests host_requests(const spec::Spec& spec, const std::string& directory);

/// Of those that a complete spec makes, the ones that the same spec without host variables did not tell:
/// neither as they are nor at the same address with a ${env:…} in them.
HostRequests untold_requests(const HostRequests& told, const HostRequests& complete);

/// Names exactly this list, whatever its order was and wherever the file has its lines.
HexDigest digest_of(const HostRequests& requests);

/// In `requests` and not in `known`.
HostRequests added_requests(const HostRequests& requests, const HostRequests& known);

/// {"kind", "what", "needed", "address", "position"}
Json to_json(const HostRequest& request);
Json to_json(const HostRequests& requests);
HostRequests host_requests_from_json(const Json& list);

/// "command secrets.token: pass show npm" (may hold any characters of the file)
std::string to_string(const HostRequest& request);

/// The path relative to `directory` ("." is the directory itself) where it lies there by its text; nullopt:
/// it is absolute or climbs out.
std::optional<std::string> relative_inside(const std::string& directory, const std::string& path);

} // namespace pyro::workspace
