#include "qmp.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::backend::qemu {

namespace {

Json request_of(const std::string& command, const Json& arguments) {
  return {{"execute", command}, {"arguments", arguments}};
}

} // namespace

Qmp::Qmp(os::Fd socket) : m_socket(std::move(socket)), m_lines(m_socket.get(), "QEMU's monitor") {
}

void Qmp::greet(std::chrono::milliseconds limit) {
  const auto greeting = m_lines.receive(limit);
  if (!greeting.contains("QMP")) {
    throw Error(ErrorCode::protocol, "QEMU's monitor did not greet");
  }
  execute("qmp_capabilities", Json::object(), limit);
}

Json Qmp::execute(const std::string& command, const Json& arguments, std::chrono::milliseconds limit) {
  m_lines.send(request_of(command, arguments));
  return answer(command, limit);
}

void Qmp::give_fd(const std::string& name, int fd) {
  m_lines.send_with_fd(request_of("getfd", {{"fdname", name}}), fd);
  answer("getfd", std::chrono::seconds(20));
}

Json Qmp::answer(const std::string& command, std::chrono::milliseconds limit) {
  const auto deadline = os::now_monotonic() + limit;
  while (true) {
    const auto message = m_lines.receive(deadline - os::now_monotonic());
    if (const auto error = message.find("error"); error != message.end()) {
      throw Error(
          ErrorCode::failed, "QEMU refused {}: {}", command, string_or(*error, "desc", "no reason given"));
    }
    if (const auto result = message.find("return"); result != message.end()) {
      return *result;
    }
  }
}

} // namespace pyro::backend::qemu
