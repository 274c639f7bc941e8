// An agent whose session is over for the moment: it and every process of its sandbox stand still.
#pragma once

#include <pyro/protocol/session.hpp>

namespace pyro::supervisor {

class SuspendedAgent {
public:
  /// Asks the agent over its session, which nothing else uses and which has to start_over() afterwards, and
  /// waits until it stands still. Blocks, 20 s at the most. `channel` is a socket and stays the caller's.
  SuspendedAgent(protocol::Session& session, int channel);

  /// The agent goes on. Throws Error(timeout) where it does not.
  void resume();

private:
  int m_channel;
};

} // namespace pyro::supervisor
