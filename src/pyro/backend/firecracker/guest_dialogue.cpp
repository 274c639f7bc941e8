#include "guest_dialogue.hpp"

#include <pyro/base/error.hpp>

namespace pyro::backend::firecracker {

void GuestDialogue::await_guest(std::chrono::milliseconds limit) {
  const auto word = m_lines.receive(limit);
  if (string_or(word, "guest", "") != "pyro"
      || int_or(word, "version", 0) != protocol::k_guest_boot_version) {
    throw Error(ErrorCode::protocol, "the guest's first word is not that of our agent");
  }
}

void GuestDialogue::ask(const Json& request, std::chrono::milliseconds limit) {
  m_lines.send(request);
  const auto answer = m_lines.receive(limit);
  if (answer.contains("error")) {
    throw error_from_json(answer["error"])
        .add_context(fmt::format("in the guest, '{}'", get_string(request, "do")));
  }
  if (!bool_or(answer, "ok", false)) {
    throw Error(ErrorCode::protocol, "the guest's answer is neither ok nor an error");
  }
}

} // namespace pyro::backend::firecracker
