// The control channel of a QEMU process (QEMU Machine Protocol, qemu docs/interop/qmp-spec.txt).
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/json_lines.hpp>

#include <chrono>
#include <string>

namespace pyro::backend::qemu {

class Qmp {
public:
  /// `socket` is connected to QEMU's monitor. Nothing is exchanged yet.
  explicit Qmp(os::Fd socket);

  /// Waits for the greeting and leaves the negotiation mode.
  void greet(std::chrono::milliseconds limit);

  /// Returns "return". Throws Error(failed) with QEMU's words; events in between are skipped.
  Json execute(
      const std::string& command, const Json& arguments = Json::object(),
      std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// Gives QEMU a descriptor under a name that "fd:NAME" then stands for.
  void give_fd(const std::string& name, int fd);

private:
  Json answer(const std::string& command, std::chrono::milliseconds limit);

  os::Fd m_socket;
  os::JsonLines m_lines;
};

} // namespace pyro::backend::qemu
