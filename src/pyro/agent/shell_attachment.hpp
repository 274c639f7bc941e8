// /shells/attach: somebody's terminal joined with a shell, until either ends or it detaches.
#pragma once

#include "shell.hpp"

#include <pyro/protocol/call.hpp>

#include <memory>

namespace pyro::agent {

class ShellAttachment : public std::enable_shared_from_this<ShellAttachment> {
public:
  static void start(
      Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const std::shared_ptr<Shell>& shell,
      const protocol::ShellAttach& request);

  ShellAttachment(Runtime& runtime, std::shared_ptr<protocol::Call> call, std::shared_ptr<Shell> shell)
      : m_runtime(runtime), m_call(std::move(call)), m_shell(std::move(shell)) {}

private:
  void listen(const protocol::ShellAttach& request);
  void on_message(const Json& message);
  void pump();
  void hold();
  void release();
  void finish(bool detached);

  Runtime& m_runtime;
  std::shared_ptr<protocol::Call> m_call;
  std::shared_ptr<Shell> m_shell;
  std::uint64_t m_cursor = 0;
  Shell::WatchId m_watch = 0;
  os::EventLoop::TimerId m_patience = 0;
  bool m_passed_by = false; // has been too slow; until it has caught up nobody waits for it
  bool m_over = false;
};

} // namespace pyro::agent
