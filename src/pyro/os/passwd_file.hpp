// Users by /etc/passwd itself: programs that are linked statically cannot ask name services.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pyro::os {

struct PasswdEntry {
  std::string name;
  std::string home;
};

/// The first line of this user; nullopt where the file has none.
std::optional<PasswdEntry> find_in_passwd(uid_t uid, const std::string& path = "/etc/passwd");

} // namespace pyro::os
