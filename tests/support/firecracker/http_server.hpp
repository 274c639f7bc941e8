// HTTP/1.1 on a Unix socket, as much of it as Firecracker's own server does: keep-alive, a body by its
// Content-Length, at most 51200 bytes of it.
#pragma once

#include "machine_model.hpp"

#include <string>

namespace pyro::testing::firecracker {

/// Takes bytes of one connection, gives back what is to be written. Tested without a socket.
class HttpConnection {
public:
  std::string feed(std::string_view bytes, MachineModel& machine);

  /// Something was sent that is no HTTP: to be closed once the answer is written.
  bool is_broken() const { return m_broken; }

private:
  bool next(MachineModel& machine, std::string& out);

  std::string m_buffer;
  bool m_broken = false;
};

/// Serves until the machine is over. Returns the process's exit status.
int serve(const std::string& socket_path, MachineModel& machine);

} // namespace pyro::testing::firecracker
