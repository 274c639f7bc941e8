// Secrets that the gateway puts into requests (`for`, docs/decisions/0078): what of them is inside, and how
// the gateway gets the rest. Those that are delivered are in secrets.hpp.
#pragma once

#include "project.hpp"
#include "project_secrets.hpp"

#include <pyro/backend/control_client.hpp>

#include <map>
#include <set>
#include <string>

namespace pyro::workspace {

/// Names of all of them.
std::set<std::string> request_secrets(const spec::Spec& spec);

/// What stands for the secret inside: the same for every workspace of that checkout, since layers may have
/// it, and nothing of its value.
std::string placeholder_of(const std::string& checkout, const std::string& secret);

/// The variables of a process that is given these: placeholders, and where certificates are that vouch for
/// the gateway, with those of environment.ca. What is set already stays.
void add_request_variables(
    std::map<std::string, std::string>& env, const spec::Spec& spec, const std::string& checkout,
    const std::set<std::string>& names);
/// Takes them out again, for what leaves this machine.
void remove_request_variables(std::map<std::string, std::string>& env);

/// The value as it stands in a header: without line ends at its end. Throws Error(invalid_argument) where it
/// cannot.
std::string header_value(std::string value);

/// Gives the sandbox's gateway these of the project, which take the place of those before. Throws
/// Error(input_missing) for a required one that is not there.
void put_request_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets,
    const std::set<std::string>& names);

} // namespace pyro::workspace
