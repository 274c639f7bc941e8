// Which files stand behind a changed seed or changed inputs of a step, and what git has of files that would
// be lost.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/observed.hpp>
#include <pyro/store/diff.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// By address of the link. Empty where nothing changed, and where it is not known what the seed was.
std::map<std::string, plan::FileChanges> changed_files(
    const std::string& workspace_directory, const std::vector<plan::Link>& applied,
    const ResolvedInputs& resolved);

/// For DriftRequest::in_git: of what lies below `seed_directory` ("/workspace"), with `source` as the
/// directory of the seed. Not set where no git has that.
std::function<bool(const std::string& path, const store::DiffEntry& entry)>
git_knowledge(const std::string& source, const std::string& seed_directory);

} // namespace pyro::workspace
