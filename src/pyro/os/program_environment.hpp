// What the programs that we start see of our caller's variables: next to nothing. A variable can name code to
// run or files to read (GIT_DIR, LD_PRELOAD, PERL5OPT), and whoever set it had another program in mind.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace pyro::os {

using Variables = std::map<std::string, std::string>;

/// PATH, HOME, LANG and TMPDIR: what a Command (process.hpp) gets that names no variables of its own.
Variables made_environment();

/// The same, and how this machine reaches the network: the proxies, in both cases of letters.
Variables made_environment_with_proxies();

/// All of our own: only for what the caller asked us to run as their own command.
Variables inherited_environment();

/// The full path of a program in PATH (plus the directories of the system's programs); nullopt: not
/// installed. Entries that are no absolute path are passed over: what they mean depends on the directory we
/// are in, and that may be anybody's.
std::optional<std::string> find_program(const std::string& name);

} // namespace pyro::os
