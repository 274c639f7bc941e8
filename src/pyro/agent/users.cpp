#include "users.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace pyro::agent {

namespace {

using Fields = std::vector<std::string_view>;

constexpr std::size_t k_max_database = 4 << 20;
constexpr std::size_t k_max_groups = 1024;

Fields split(std::string_view text, char separator) {
  Fields fields;
  for (;;) {
    auto end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return fields;
    }
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  const auto number = whole_number<std::uint32_t>(text);
  return number == UINT32_MAX ? std::nullopt : number; // chown(2) takes that for "leave it"
}

/// The first line with at least `count` fields that satisfies the predicate.
template <typename Predicate>
std::optional<Fields> find_line(const std::string& file, std::size_t count, Predicate predicate) {
  for (auto line : split(file, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() >= count && predicate(fields)) {
      return fields;
    }
  }
  return std::nullopt;
}

std::string read_database(const std::string& path) {
  try {
    return os::maybe_read_file(path, k_max_database).value_or("");
  } catch (const Error&) {
    return {}; // unreadable or absurdly large: the same as having no entries, and names are then unknown
  }
}

gid_t resolve_group(std::string_view text, const UserDatabase& database) {
  if (auto number = number_of(text)) {
    return *number;
  }
  auto line = find_line(database.group, 3, [&](const Fields& fields) { return fields[0] == text; });
  auto gid = line ? number_of((*line)[2]) : std::nullopt;
  if (!gid) {
    throw Error(ErrorCode::not_found, "there is no group '{}' in /etc/group", text);
  }
  return *gid;
}

} // namespace

UserDatabase UserDatabase::read() {
  return {read_database("/etc/passwd"), read_database("/etc/group")};
}

UserIdentity resolve_user(std::string_view text, const UserDatabase& database) {
  auto colon = text.find(':');
  auto user = text.substr(0, colon);
  UserIdentity identity;
  auto number = user.empty() ? std::optional<std::uint32_t>(::geteuid()) : number_of(user);
  auto line = find_line(database.passwd, 7, [&](const Fields& fields) {
    return number ? number_of(fields[2]) == number : fields[0] == user;
  });
  if (line) {
    identity.name = (*line)[0];
    identity.uid = number_of((*line)[2]).value_or(65534);
    identity.gid = number_of((*line)[3]).value_or(65534);
    if (!(*line)[5].empty()) {
      identity.home = (*line)[5];
    }
  } else if (number) {
    identity.uid = *number;
    identity.gid = user.empty() ? ::getegid() : *number;
  } else {
    throw Error(ErrorCode::not_found, "there is no user '{}' in /etc/passwd", user);
  }
  if (user.empty()) {
    identity.gid = ::getegid();
  }
  if (colon != std::string_view::npos) {
    identity.gid = resolve_group(text.substr(colon + 1), database);
  }
  identity.groups.push_back(identity.gid);
  for (auto entry : split(database.group, '\n')) {
    auto fields = split(entry, ':');
    auto gid = fields.size() >= 4 ? number_of(fields[2]) : std::nullopt;
    if (!gid || identity.name.empty() || identity.groups.size() >= k_max_groups) {
      continue;
    }
    auto members = split(fields[3], ',');
    bool known = std::find(identity.groups.begin(), identity.groups.end(), *gid) != identity.groups.end();
    if (!known && std::find(members.begin(), members.end(), identity.name) != members.end()) {
      identity.groups.push_back(*gid);
    }
  }
  return identity;
}

} // namespace pyro::agent
