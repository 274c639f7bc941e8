// What a failed step left, kept so that somebody can look around in it: <state>/failed/<identity>, one for
// each project, until its next apply, destroy or prune.
#pragma once

#include "sandboxes.hpp"

#include <pyro/os/file_lock.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// The step, and the sandbox that it ran in, whose writable layer lies in FailedStepRoom::generation().
struct FailedStep {
  std::string address; // "environment.setup.deps"
  std::string backend;
  std::string user;
  std::string workdir;
  std::map<std::string, std::string> env;
  std::vector<std::string> secrets; // names
  SandboxRequest sandbox;           // its directories are those of the room
};

/// Where that of a project lies. Its lock is held by whoever runs something in it or replaces it.
class FailedStepRoom {
public:
  FailedStepRoom(const Context& context, std::string identity);

  std::string generation() const { return m_path + "/gen"; }

  std::string runtime() const { return m_path + "/runtime"; }

  /// Takes a writable layer over, in place of what was kept before; its sandbox has ended. Nothing is kept
  /// where somebody is at work in the room.
  void keep(const std::string& generation, const FailedStep& step) const;
  /// Fine where there is none. What somebody is at work in stays.
  void forget() const;
  /// Throws Error(not_found) where nothing is kept.
  FailedStep read() const;
  os::ExclusiveLock lock(const std::string& operation) const;

private:
  void remove() const;

  const Context& m_context;
  std::string m_identity;
  std::string m_path;
};

/// Those of all projects.
void forget_failed_steps(const Context& context);

} // namespace pyro::workspace
