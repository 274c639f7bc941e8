// Workspaces made by hand that are not whole yet: the record says which process makes it. When that process
// died, nobody will ever finish it (there is no file to apply again), so it counts as not there and is
// removed by the next command that looks through all workspaces.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

/// Notes this process as the maker; not saved.
void note_maker(store::WorkspaceRecord& record);
/// It is whole; not saved.
void forget_maker(store::WorkspaceRecord& record);

/// Is it still being made, by whomever?
bool is_being_made(const store::WorkspaceRecord& record);
/// Did its maker die?
bool is_abandoned(const store::WorkspaceRecord& record);

/// Removes the abandoned ones, with whatever of them runs.
void remove_unfinished_workspaces(const Context& context);
/// The same with all records, where they were just read.
void remove_unfinished_workspaces(const Context& context, const std::vector<store::WorkspaceRecord>& records);

} // namespace pyro::workspace
