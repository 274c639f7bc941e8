// What is said of a step that did not end well.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/spec/spec.hpp>

namespace pyro::workspace {

/// Error(failed), without place and output.
Error step_failure(const spec::Step& step, const protocol::ExecResult& result);

} // namespace pyro::workspace
