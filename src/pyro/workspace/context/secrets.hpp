// Secrets of a workspace. Those given by hand are kept beside the record, a file of mode 0600 each, and never
// in it; those that a pyro.yaml declares are read where it says (project_secrets.hpp) and kept nowhere. Both
// go to /run/secrets of the sandbox (in memory) and are taken out of whatever is shown or written
// (sandbox/delivered_secrets.hpp).
#pragma once

#include "context.hpp"
#include "requests.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/spec/spec.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Name → value.
using SecretValues = std::map<std::string, std::string>;

/// Values as workspace_create was given them, files read. Throws Error(invalid_argument) naming the secret
/// (never its value) for a bad or doubled name, none or both of value and file, a file that cannot be read,
/// or more than 128 KiB.
SecretValues read_secrets(const std::vector<SecretInput>& inputs);

/// Keeps them below the workspace's directory; durable when it returns.
void keep_secrets(const store::WorkspacePaths& paths, const SecretValues& values);
/// Empty where it has none. A fork is given secrets with keep_secrets(fork, kept_secrets(original)).
SecretValues kept_secrets(const store::WorkspacePaths& paths);
/// Puts the kept ones into the sandbox that was just started there, each readable by that user alone.
void deliver_kept_secrets(const store::WorkspacePaths& paths, const std::string& user);

/// The value of a declared secret; nullopt: not set. Throws Error for one of more than 1 MiB, and what
/// reading a file or running a command throws; the caller knows which secret it is. See project_secrets.hpp.
std::optional<std::string> declared_secret(const spec::Secret& secret, const std::string& directory);

/// In every string of the document, keys aside.
void redact_strings(Json& document, const Redactor& redactor);

/// Variables of a process: `wanted` is secret → variable; an empty variable is named like the secret. Throws
/// Error(invalid_argument) for a secret that the workspace does not have.
std::map<std::string, std::string>
secret_environment(const store::WorkspacePaths& paths, const std::map<std::string, std::string>& wanted);

/// The variables of a command, shell or service: the workspace's, then `own`, then the wanted secrets.
std::map<std::string, std::string> process_environment(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const std::map<std::string, std::string>& own, const std::map<std::string, std::string>& secrets);

} // namespace pyro::workspace
