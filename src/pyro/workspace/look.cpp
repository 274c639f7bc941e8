#include "look.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

namespace pyro::workspace {

Looked look_at_plan(Context& context, const Project& project, const PlanChoice& choice, bool color) {
  const auto started = os::now_monotonic();
  context.base.prepare();
  Looked looked{load_project(context, project)};
  if (const auto id = find_workspace(context, "", looked.project.identity)) {
    looked.record = load_and_recover(context, *id);
  }
  looked.planned = plan_without_building(
      context, looked.project, looked.record ? &*looked.record : nullptr, choice, color, started);
  return looked;
}

} // namespace pyro::workspace
