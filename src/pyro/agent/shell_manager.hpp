// All shells, and the calls under /shells.
#pragma once

#include "shell.hpp"

#include <pyro/protocol/call.hpp>

#include <map>
#include <memory>
#include <string>

namespace pyro::agent {

class ShellManager {
public:
  explicit ShellManager(Runtime& runtime) : m_runtime(runtime) {}

  /// Adds the operations to the router, which must not outlive this.
  void add_operations(protocol::Router& router);

  /// Shells do not listen to SIGTERM: they are told that their terminal is gone.
  void hang_up_all();

private:
  using CallPointer = std::shared_ptr<protocol::Call>;

  void open(const CallPointer& call, const Json& request);
  void read(const CallPointer& call, const Json& request);
  void close(const CallPointer& call, const Json& request);
  void make_room();
  std::shared_ptr<Shell> find(const Json& request) const;
  void answer_when_idle(
      const CallPointer& call, const std::shared_ptr<Shell>& shell, const protocol::ShellRead& request,
      std::chrono::milliseconds since);

  Runtime& m_runtime;
  std::map<std::string, std::shared_ptr<Shell>> m_shells;
};

} // namespace pyro::agent
