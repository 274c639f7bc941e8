// The values of the secrets that a pyro.yaml declares, each read once: what was found before anything began
// is what is delivered in the end.
#pragma once

#include "context.hpp"
#include "project.hpp"
#include "secrets.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace pyro::workspace {

class ProjectSecrets {
public:
  /// `delivered`: the values in use in the sandbox that the project has now, nullopt where it has none or
  /// nobody can tell. They stand in for what is not set here, and tell what has changed.
  ProjectSecrets(const Context& context, const LoadedProject& project, std::optional<SecretValues> delivered);

  /// The value; nullptr: it is optional and not set. Throws Error(input_missing) at its place for a required
  /// one.
  const std::string* value(const std::string& name);
  /// All of these are there then, or are not needed.
  void read(const std::set<std::string>& names);

  /// What value() would throw for, as far as it can be told without running a command; nullopt: nothing.
  std::optional<Error> problem(const std::string& name);
  /// Was the sandbox given another value than the one that is set here? Of what a command prints nobody
  /// knows.
  bool is_changed(const std::string& name);

  /// Those of value() so far.
  const SecretValues& values() const { return m_values; }

private:
  struct Declared {
    spec::Secret secret;
    Position place;
    std::optional<std::optional<std::string>> found; // once it was looked for
  };

  const std::optional<std::string>& look(const std::string& name);
  Error missing(const std::string& name) const;

  const Context* m_context;
  std::string m_directory;
  std::map<std::string, Declared> m_declared;
  bool m_is_delivered_known;
  SecretValues m_delivered;
  SecretValues m_values;
};

/// Those of its services, and those that its gateway puts into requests.
std::set<std::string> secrets_at_run_time(const spec::Spec& spec);

} // namespace pyro::workspace
