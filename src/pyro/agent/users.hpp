// Users of the sandbox, read from its own /etc/passwd and /etc/group: a static program must not load NSS
// modules, least of all those of a sandbox.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::agent {

struct UserIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name; // empty for a bare number without an entry
  std::string home = "/";
};

/// Both files as text; a missing one is empty.
struct UserDatabase {
  std::string passwd;
  std::string group;

  static UserDatabase read();
};

/// "name", "uid", "uid:gid", "name:group"; empty is whoever the agent is. Throws not_found for unknown names.
UserIdentity resolve_user(std::string_view text, const UserDatabase& database);

} // namespace pyro::agent
