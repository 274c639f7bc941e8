// Rules that a plan must not break: a file of its own, for CI (docs/plans.md). Not drift.policy of pyro.yaml.
#pragma once

#include "plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pyro::plan {

/// An action breaks a rule where it fits all that the rule names; what it does not name fits everything that
/// changes something.
struct PolicyRule {
  std::string name;
  std::vector<ActionKind> actions;
  std::vector<ReasonCode> reasons;
  std::vector<std::string> addresses; // `*` stands for anything but a dot, `**` for anything
  bool only_discards = false;         // where files would be lost
  std::string message;
  Position place;
};

struct Policy {
  std::vector<PolicyRule> rules;
};

/// `file` names it in places. Error(invalid_file) with every diagnostic.
Policy read_policy(std::string_view text, const std::string& file);

/// In the order of the actions.
std::vector<Denial> denials_of(const Policy& policy, const Plan& plan);

/// Does the pattern of a rule stand for this address?
bool fits_address(std::string_view pattern, std::string_view address);

} // namespace pyro::plan
