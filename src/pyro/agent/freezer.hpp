// Stops every process of the sandbox for a moment, so that its files can be captured at one instant.
#pragma once

#include "lineage.hpp"

#include <sys/types.h>

#include <set>
#include <vector>

namespace pyro::agent {

class Freezer {
public:
  explicit Freezer(bool is_init) : m_is_init(is_init) {}

  /// SIGSTOP to all but us; returns how many it stopped, once they really stand still. Those already stopped
  /// stay out of it. Throws failed (and thaws) when somebody cannot be stopped in time. Frozen already: does
  /// nothing.
  std::size_t freeze();
  /// SIGCONT to those that freeze() stopped, children before their parents.
  std::size_t thaw();

private:
  void let_children_of_vfork_go_on(
      const ProcessStat& parent, const std::vector<ProcessStat>& subjects, std::set<pid_t>& known);

  bool m_is_init;
  std::vector<pid_t> m_stopped; // in the order of stopping
  bool m_frozen = false;
};

} // namespace pyro::agent
