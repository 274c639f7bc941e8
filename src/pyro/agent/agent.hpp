// The agent: the first process of every sandbox. One thread, one channel to the host, everything else is a
// callback.
#pragma once

#include "freezer.hpp"
#include "reaper.hpp"
#include "runtime.hpp"
#include "service_manager.hpp"
#include "shell_manager.hpp"

#include <pyro/os/byte_pump.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/session.hpp>

#include <sys/types.h>

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace pyro::agent {

struct AgentOptions {
  os::Fd channel;
  std::string secrets_dir = "/run/secrets";
  std::string upper_dir; // see Runtime
  bool is_guest = false; // see Runtime
  MemoryKills memory_kills;
};

class Agent {
public:
  explicit Agent(AgentOptions options);

  /// Until the channel is closed or /shutdown is done. Returns the exit status of the program, which has to
  /// _exit(): timers and calls still hold parts of each other then.
  int run();

private:
  void add_operations();
  void begin_session();
  /// Stands still until the host says how to go on; the session begins anew then.
  void suspend(const std::shared_ptr<protocol::Call>& call);
  void stand_still();
  void end_descendants();
  void end_processes(const std::shared_ptr<protocol::Call>& call, const Json& request);
  void wait_for_end(const std::shared_ptr<protocol::Call>& call, const std::set<pid_t>& ended);
  void hello(const std::shared_ptr<protocol::Call>& call);
  /// Services first, in their order, then whoever is left.
  void end_all(const Json& request, std::function<void()> done);
  void end_everybody(std::chrono::milliseconds grace, const std::function<void()>& done);
  void wait_for_nobody(std::chrono::milliseconds until, const std::function<void()>& done);

  os::EventLoop m_loop;
  Reaper m_reaper;
  Runtime m_runtime;
  Freezer m_freezer;
  ServiceManager m_services;
  ShellManager m_shells;
  protocol::Router m_router;
  protocol::Session m_session{protocol::Role::server};
  os::Fd m_channel;
  std::optional<os::BytePump> m_pump; // on a duplicate of the channel
  std::string m_boot_epoch;
  int m_exit_status = 0;
};

} // namespace pyro::agent
