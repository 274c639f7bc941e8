#include "narrowed.hpp"

#include "applied_source.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

using Units = std::set<std::string>;

std::string service_unit(const std::string& name) {
  return "services." + name;
}

/// Of a service, as it is wanted or was applied.
const spec::Service*
service_of(const std::string& unit, const spec::Spec& wanted, const spec::Spec& applied) {
  const auto name = unit.substr(unit.find('.') + 1);
  for (const auto* spec : {&wanted, &applied}) {
    if (const auto found = spec->services.find(name); found != spec->services.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

/// A service with all that it depends on.
void add_with_dependencies(
    const std::string& unit, const spec::Spec& wanted, const spec::Spec& applied, Units& units) {
  if (!units.insert(unit).second) {
    return;
  }
  const auto* service = service_of(unit, wanted, applied);
  for (const auto& [name, unused] :
       service != nullptr ? service->depends_on : decltype(service->depends_on){}) {
    add_with_dependencies(service_unit(name), wanted, applied, units);
  }
}

Units needed_by(
    const std::vector<std::string>& targets, const spec::Spec& wanted, const spec::Spec& applied) {
  Units units;
  for (const auto& target : targets) {
    const auto unit = unit_of(target);
    if (unit.starts_with("services.")) {
      add_with_dependencies(unit, wanted, applied, units);
    }
    units.insert(unit);
    const auto snapshot = unit.starts_with("snapshots.")
                              ? wanted.snapshots.find(unit.substr(unit.find('.') + 1))
                              : wanted.snapshots.end();
    if (snapshot != wanted.snapshots.end() && snapshot->second.at == "ready") {
      for (const auto& [name, unused] : wanted.services) {
        units.insert(service_unit(name));
      }
    }
    if (unit.find('.') != std::string::npos) {
      units.insert("workspace"); // they stand on it
    }
  }
  return units;
}

/// Services that cannot be had without one that is left out and is not there yet.
void add_dependents(const spec::Spec& wanted, const spec::Spec& applied, Units& left) {
  bool again = true;
  while (again) {
    again = false;
    for (const auto& [name, service] : wanted.services) {
      const bool misses_one =
          std::any_of(service.depends_on.begin(), service.depends_on.end(), [&](const auto& dependency) {
            return left.contains(service_unit(dependency.first))
                   && !applied.services.contains(dependency.first);
          });
      again = (misses_one && left.insert(service_unit(name)).second) || again;
    }
  }
}

void require_whole(const spec::Spec& spec) {
  for (const auto& [name, service] : spec.services) {
    for (const auto& [other, unused] : service.depends_on) {
      if (!spec.services.contains(other)) {
        throw Error(ErrorCode::usage, "services.{} needs services.{}, which is left out", name, other)
            .with_hint("take both, or leave both out");
      }
    }
  }
}

/// The inputs of the services that are left out as they were applied.
void keep_services(
    const Units& units, const std::vector<plan::Link>& applied, std::vector<plan::Link>& chain) {
  if (chain.back().point != "ready" || applied.empty() || applied.back().point != "ready") {
    return;
  }
  for (const auto& unit : units) {
    const auto prefix = unit + ".";
    if (!unit.starts_with("services.")) {
      continue;
    }
    auto& inputs = chain.back().inputs;
    const auto is_of_it = [&](const plan::RecipeInput& input) {
      return input.name.starts_with(prefix);
    };
    const auto first = std::find_if(inputs.begin(), inputs.end(), is_of_it) - inputs.begin();
    std::erase_if(inputs, is_of_it);
    std::vector<plan::RecipeInput> before;
    std::copy_if(
        applied.back().inputs.begin(), applied.back().inputs.end(), std::back_inserter(before), is_of_it);
    inputs.insert(inputs.begin() + first, before.begin(), before.end());
  }
}

} // namespace

void require_addresses(const PlanChoice& choice, const plan::Plan& all, const LoadedProject& project) {
  std::vector<std::string> known;
  for (const auto& action : all.actions) {
    known.push_back(action.address);
  }
  const auto check = [&](const std::vector<std::string>& addresses, bool of_plan_only) {
    for (const auto& address : addresses) {
      const bool is_known = all.find(address) != nullptr;
      const bool is_written = project.spec.positions.contains(address) && unit_of(address) != "vars"
                              && unit_of(address) != "profiles" && unit_of(address) != "version";
      if (is_known || (is_written && !of_plan_only)) {
        continue;
      }
      const auto near = nearest(address, known);
      throw Error(ErrorCode::usage, "there is no '{}' in the plan of {}", address, project.shown)
          .with_hint(
              near.empty() ? fmt::format("addresses: {}", fmt::join(known, ", "))
                           : fmt::format("did you mean '{}'?", near));
    }
  };
  check(choice.targets, false);
  check(choice.excludes, false);
  check(choice.replaces, true);
  for (const auto& address : choice.replaces) {
    const auto subject = all.find(address)->subject;
    if (subject == plan::Subject::field || subject == plan::Subject::seed || address == "environment") {
      throw Error(ErrorCode::usage, "{} cannot be made anew by itself", address)
          .with_hint("a step, the seed, a service, a snapshot or `workspace` can");
    }
  }
}

std::set<std::string>
left_out_units(const PlanChoice& choice, const spec::Spec& wanted, const spec::Spec& applied, bool exists) {
  auto all = units_of(wanted);
  all.merge(units_of(applied));
  Units left;
  if (!choice.targets.empty()) {
    left = all;
    for (const auto& unit : needed_by(choice.targets, wanted, applied)) {
      left.erase(unit);
    }
  }
  for (const auto& address : choice.excludes) {
    left.insert(unit_of(address));
  }
  add_dependents(wanted, applied, left);
  if (left.contains("workspace") && !exists) {
    throw Error(ErrorCode::usage, "there is no workspace yet that could stay as it is")
        .with_hint("services and snapshots can be left out of the first apply");
  }
  if (!exists) {
    std::erase_if(left, [](const std::string& unit) { return unit.find('.') == std::string::npos; });
  }
  return left;
}

void leave_out(
    const std::set<std::string>& units, const spec::Spec& applied,
    const std::vector<plan::Link>& applied_links, LoadedProject& project, ResolvedInputs& resolved) {
  auto& spec = project.spec;
  for (const auto& unit : units) {
    take_unit(spec, applied, unit);
  }
  require_whole(spec);
  auto chain = plan::build_chain(spec, resolved.digests);
  if (units.contains("workspace")) {
    std::vector<plan::Link> kept = applied_links;
    std::erase_if(kept, [](const plan::Link& link) { return link.point == "ready"; });
    if (chain.back().point == "ready") {
      kept.push_back(chain.back());
    }
    chain = std::move(kept);
  }
  keep_services(units, applied_links, chain);
  plan::rekey(chain);
  for (const auto& [name, snapshot] : spec.snapshots) {
    if (!plan::index_of_point(chain, snapshot.at)) {
      throw Error(
          ErrorCode::usage, "snapshots.{} is at {}, which there is not in what would stay or come", name,
          snapshot.at)
          .with_hint("leave it out as well");
    }
  }
  resolved.chain = std::move(chain);
}

std::vector<plan::LeftOut> difference_of(const plan::Plan& all, const plan::Plan& part) {
  std::vector<plan::LeftOut> left;
  for (const auto& action : all.actions) {
    const auto* done = part.find(action.address);
    if (plan::is_change(action.kind) && (done == nullptr || !plan::is_change(done->kind))) {
      left.push_back({action.address, action.kind});
    }
  }
  return left;
}

} // namespace pyro::workspace
