// Records as older versions of pyro wrote them.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::store {

/// The record of a workspace of layout version 1 or 2, which kept most of its state in one object named
/// "metadata", as version 3 writes it. Error(protocol) where it is damaged.
Json workspace_of_version_3(const Json& old);

} // namespace pyro::store
