// A server on pipes, a message a line.
#pragma once

#include "channel.hpp"

#include <pyro/os/fd.hpp>

#include <string>

namespace pyro::testing {

class StdioChannel : public Channel {
public:
  StdioChannel(os::Child child, os::Fd to_server, os::Fd from_server);

  void send(const Json& message) override;
  std::optional<Json> receive() override;
  int close() override;

  os::Child& process() override { return m_child; }

  /// Bytes as they are.
  void write(std::string_view bytes);

private:
  os::Child m_child;
  os::Fd m_to_server;
  os::Fd m_from_server;
  std::string m_unread;
};

} // namespace pyro::testing
