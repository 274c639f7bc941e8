// Users that a spec names, looked for in the content that its services are about to be started on.
#pragma once

#include <pyro/backend/backend.hpp>
#include <pyro/spec/spec.hpp>
#include <pyro/store/layer_stack.hpp>
#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

/// Throws Error(invalid_argument) at the place of the first that is neither there nor a number. Without a
/// root of its own (backend "host") they are this machine's, and the start tells.
void require_users(
    const Context& context, const spec::Spec& spec, const backend::Backend& backend,
    const store::LayerStack& content);

} // namespace pyro::workspace
