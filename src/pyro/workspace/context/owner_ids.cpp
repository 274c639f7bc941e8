#include "owner_ids.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/store/layered_view.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

/// The line of a passwd or group file whose first field is this name (or whose third is this number).
std::optional<std::vector<std::string>>
find_line(const store::LayeredView& view, const std::string& path, const std::string& name) {
  const auto found = view.lookup(path);
  if (!found || !found->is_file()) {
    return std::nullopt;
  }
  const auto file = found->open();
  const auto text = os::read_all(file.get(), 4 << 20);
  for (const auto line : lines_of(text)) {
    auto fields = fields_of(line, ':');
    if (fields.size() >= 3 && (fields[0] == name || fields[2] == name)) {
      return fields;
    }
  }
  return std::nullopt;
}

/// Only ids that exist inside can own a file; the kernel's word for others is just "Invalid argument".
void require_existing(const OwnerIds& ids, const std::string& owner) {
  const auto exists = [](const std::vector<os::IdRange>& ranges, std::uint32_t id) {
    return std::any_of(ranges.begin(), ranges.end(), [id](const os::IdRange& range) {
      return id >= range.inside && id - range.inside < range.count;
    });
  };
  const auto& space = os::IdSpace::current();
  if (exists(space.uids(), ids.uid) && exists(space.gids(), ids.gid)) {
    return;
  }
  if (space.kind() == os::IdSpace::Kind::single) {
    throw Error(ErrorCode::unavailable, "files cannot belong to {}: {}", owner, space.shortcoming())
        .with_hint(
            "give the user a range in /etc/subuid and /etc/subgid (`pyro doctor`), or leave `owner` out");
  }
  throw Error(
      ErrorCode::invalid_argument, "files cannot belong to {} ({}:{}): ids inside sandboxes end at 65535",
      owner, ids.uid, ids.gid);
}

} // namespace

bool has_user(const store::LayerStore& layers, const store::LayerStack& stack, const std::string& owner) {
  const auto user = owner.substr(0, owner.find(':'));
  if (user.empty() || user == "root" || whole_number<std::uint32_t>(user)) {
    return true;
  }
  const store::LayeredView view(store::Stack::of(layers.trees(stack.layers), stack.host_directories));
  return find_line(view, "etc/passwd", user).has_value();
}

OwnerIds
owner_ids(const store::LayerStore& layers, const store::LayerStack& stack, const std::string& owner) {
  if (owner.empty() || owner == "root" || owner == "0") {
    return {};
  }
  const store::LayeredView view(store::Stack::of(layers.trees(stack.layers), stack.host_directories));
  const auto colon = owner.find(':');
  const auto user = owner.substr(0, colon);
  OwnerIds ids;
  const auto entry = find_line(view, "etc/passwd", user);
  if (entry) {
    ids.uid = whole_number<std::uint32_t>((*entry)[2]).value_or(0);
    ids.gid = entry->size() > 3 ? whole_number<std::uint32_t>((*entry)[3]).value_or(0) : 0;
  } else if (const auto number = whole_number<std::uint32_t>(user)) {
    ids.uid = *number;
    ids.gid = *number;
  } else {
    throw Error(ErrorCode::invalid_argument, "there is no user '{}' in this environment", user)
        .with_hint("name one of its /etc/passwd, or make it in a setup step");
  }
  if (colon != std::string::npos) {
    const auto group = owner.substr(colon + 1);
    const auto group_entry = find_line(view, "etc/group", group);
    const auto number =
        group_entry ? whole_number<std::uint32_t>((*group_entry)[2]) : whole_number<std::uint32_t>(group);
    if (!number) {
      throw Error(ErrorCode::invalid_argument, "there is no group '{}' in this environment", group);
    }
    ids.gid = *number;
  }
  require_existing(ids, owner);
  return ids;
}

} // namespace pyro::workspace
