// Whose files are to be, by the users and groups of an environment.
#pragma once

#include <pyro/store/layer_stack.hpp>
#include <pyro/store/layers.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

/// Ids of "name", "uid", "name:group" or "uid:gid" by the /etc/passwd and /etc/group of a stack.
struct OwnerIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// Is the user of "name", "uid", "name:group" or "uid:gid" one of that /etc/passwd, or a number? The empty
/// one is whoever else would be it.
bool has_user(const store::LayerStore& layers, const store::LayerStack& stack, const std::string& owner);

OwnerIds owner_ids(const store::LayerStore& layers, const store::LayerStack& stack, const std::string& owner);

} // namespace pyro::workspace
