// What a Manager holds. Only for the manager_*.cpp files.
#pragma once

#include "manager.hpp"

#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

struct Manager::State {
  State(Settings settings, EventSink events) : context(std::move(settings), std::move(events)) {}

  Context context;
};

} // namespace pyro::workspace
