// pyro.yaml as it was applied, part by part: so that an apply can leave parts of a workspace as they are
// (--target,
// --exclude). Kept beside the record.
#pragma once

#include <pyro/spec/spec.hpp>
#include <pyro/workspace/context/project.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pyro::workspace {

/// What is applied as one: "workspace" (environment, seed, prepare, isolation, backend, network, mounts),
/// "services.NAME", "snapshots.NAME", else the first word of the address ("labels").
std::string unit_of(std::string_view address);

/// All of a spec that can be left as it is.
std::set<std::string> units_of(const spec::Spec& spec);

/// Puts what `from` says of a unit into `to`; where it says nothing of a service or snapshot, `to` has none
/// then.
void take_unit(spec::Spec& to, const spec::Spec& from, const std::string& unit);

/// The file that was applied last; of units that were left out since, the one before. nullopt: nobody noted
/// it, or it cannot be read any more.
std::optional<spec::Spec> recall_applied_spec(const std::string& workspace_directory);

/// `left_out`: units that stay as they were noted before.
void remember_applied_spec(
    const std::string& workspace_directory, const Json& source, const std::set<std::string>& left_out);

} // namespace pyro::workspace
