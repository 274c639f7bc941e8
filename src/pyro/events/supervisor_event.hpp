// What nobody asked for, as an event: a supervisor did it, or whoever finds that it was killed says so for
// it.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/random.hpp>

#include <string>
#include <string_view>

namespace pyro::events {

struct Supervised {
  std::string workspace_id;
  std::string workspace;                 // its name
  std::string op_id = os::random_hex(8); // one for all of a sandbox
};

/// For Journal::add(). An empty `code` is left out.
Json supervisor_event(
    const Supervised& sandbox, std::string_view kind, std::string_view address, std::string_view text,
    std::string_view code);

} // namespace pyro::events
