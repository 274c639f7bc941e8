// Flags that plan and apply have in common: which part of a plan, and how it is made.
#pragma once

#include "arguments.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::cli {

inline constexpr Option k_agree_to_host{
    "--allow-host-compat", "", "", "Agree to a file that asks for no isolation"};
inline constexpr Option k_target{"--target", "", "ADDRESS", "Only this and what it needs", "", Repeat::yes};
inline constexpr Option k_exclude{"--exclude", "", "ADDRESS", "Not this, nor what needs it", "", Repeat::yes};
inline constexpr Option k_replace{"--replace", "",         "ADDRESS", "Make this anew though nothing changed",
                                  "",          Repeat::yes};
inline constexpr Option k_refresh{
    "--refresh", "", "", "Look for files changed inside (on unless --refresh=false)"};
inline constexpr Option k_no_memory{"--no-memory", "", "", "Neither keep nor use the memory of snapshots"};
inline constexpr Option k_policy{"--policy", "", "FILE", "Refuse what this file of rules denies (77)"};
inline constexpr Option k_allow{
    "--allow", "", "KINDS", "Do not ask for these: reset, replace, destroy; narrower than --yes"};
inline constexpr Option k_dry_run{"--dry-run", "", "", "Say what would be done, and do nothing"};

/// Puts those that were given into the parameters of the operation.
void add_plan_choice(const Arguments& arguments, Json& parameters);

/// --allow and --dry-run.
void add_permissions(const Arguments& arguments, Json& parameters);

/// --dry-run alone.
void add_dry_run(const Arguments& arguments, Json& parameters);

} // namespace pyro::cli
