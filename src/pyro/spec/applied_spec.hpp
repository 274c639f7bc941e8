// What is asked of a spec that was applied, and is kept in its normal form.
#pragma once

#include "spec.hpp"

#include <pyro/base/json_access.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::spec {

struct AppliedSpec {
  std::string description;
  std::string seed_directory = "/workspace"; // seed.to
  std::vector<std::string> services;         // names
  /// Of services, by name: where a probe of theirs speaks HTTP.
  std::map<std::string, std::set<int>> http_ports;
  /// Of services, by name: the ports inside that the file names, those of `ports` or else those of probes.
  std::map<std::string, std::set<int>> service_ports;
  std::map<std::string, Secret> secrets;
  std::vector<std::string> drift_report;
  std::optional<Retention> retention;
};

/// All empty of null: made without a spec.
AppliedSpec applied_spec(const Json& normal_form);

} // namespace pyro::spec
