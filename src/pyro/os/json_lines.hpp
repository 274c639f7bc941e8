// JSON documents, one a line, over a stream whose next bytes may belong to somebody else: nothing is read
// beyond the end of a line. QMP speaks this way, and so does a guest until its agent's session begins.
#pragma once

#include "fd.hpp"

#include <pyro/base/json_access.hpp>

#include <chrono>
#include <string>

namespace pyro::os {

class JsonLines {
public:
  /// `fd` stays the caller's. `what` names the other end in errors.
  JsonLines(int fd, std::string what, std::size_t longest_line = 1 << 20);

  void send(const nlohmann::json& document);
  /// With descriptors beside it (SCM_RIGHTS); sockets only.
  void send_with_fd(const nlohmann::json& document, int fd);

  /// The next document. Throws Error(timeout), Error(unavailable) when the other end is gone, Error(protocol)
  /// for what is no JSON or too long.
  nlohmann::json receive(std::chrono::milliseconds limit);

private:
  std::string receive_line(std::chrono::milliseconds limit);

  int m_fd;
  std::string m_what;
  std::size_t m_longest_line;
};

} // namespace pyro::os
