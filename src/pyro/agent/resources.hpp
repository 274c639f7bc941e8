// What the processes of the sandbox take, counted from inside: of all, and of each service.
#pragma once

#include "lineage.hpp"
#include "runtime.hpp"

#include <pyro/protocol/resources.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pyro::agent {

/// Costs one look at each process; a virtual machine tells the whole by itself.
protocol::Resources resources_of(const Runtime& runtime);

/// Which of these services each process is of, if any: by its session, by an ancestor, or by its marker where
/// that has ended. `marker_of`: the marker that a process carries.
std::map<pid_t, std::string> services_of(
    const std::vector<ProcessStat>& processes, const std::map<std::string, Lineage>& services,
    const std::function<std::string(pid_t)>& marker_of);

} // namespace pyro::agent
