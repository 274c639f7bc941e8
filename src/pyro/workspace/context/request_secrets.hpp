// Secrets that the gateway puts into requests (`for`, docs/decisions/0078): what of them is inside, and how the
// gateway gets the rest. Those that are delivered are in secrets.hpp.
#pragma once

#include "project.hpp"
#include "project_secrets.hpp"

#include <pyro/backend/control_client.hpp>

#include <map>
#include <string>

namespace pyro::workspace {

/// What stands for the secret inside: the same for every workspace of that identity, and nothing of its value.
std::string placeholder_of(const std::string& identity, const std::string& secret);

/// The variables of every process: placeholders, and where certificates are that vouch for the gateway. What
/// the file sets itself stays.
void add_request_variables(spec::Spec& spec, const std::string& identity);
/// Takes them out again, for what leaves this machine.
void remove_request_variables(std::map<std::string, std::string>& env);

/// The value as it stands in a header: without line ends at its end. Throws Error(invalid_argument) where it
/// cannot.
std::string header_value(std::string value);

/// Gives the sandbox's gateway those of the project, which take the place of those before. Throws
/// Error(input_missing) for a required one that is not there.
void put_request_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets);

} // namespace pyro::workspace
