#include "required_users.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/owner_ids.hpp>

namespace pyro::workspace {

void require_users(
    const Context& context, const spec::Spec& spec, const backend::Backend& backend,
    const store::LayerStack& content) {
  if (!backend.capabilities().own_root) {
    return;
  }
  const auto require = [&](const std::string& user, const std::string& address) {
    if (!has_user(context.layers, content, user)) {
      throw Error(ErrorCode::invalid_argument, "there is no user '{}' in this environment", user)
          .at(spec.place(address))
          .with_hint("name one of its /etc/passwd, or make it in a setup step");
    }
  };
  require(spec.environment.user, "environment.user");
  for (const auto& [name, service] : spec.services) {
    require(service.user, "services." + name + ".user");
  }
}

} // namespace pyro::workspace
