#include "passwd_file.hpp"

#include "fd.hpp"

#include <pyro/base/text.hpp>

namespace pyro::os {

std::optional<PasswdEntry> find_in_passwd(uid_t uid, const std::string& path) {
  const auto text = maybe_read_file(path, 4 << 20).value_or("");
  const auto wanted = std::to_string(uid);
  for (const auto line : lines_of(text)) {
    const auto fields = fields_of(line, ':'); // name:password:uid:gid:comment:home:shell
    if (fields.size() >= 6 && fields[2] == wanted) {
      return PasswdEntry{fields[0], fields[5]};
    }
  }
  return std::nullopt;
}

} // namespace pyro::os
