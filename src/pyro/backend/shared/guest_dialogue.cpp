#include "guest_dialogue.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>

namespace pyro::backend {

namespace {

void check_word(const Json& word) {
  if (const auto error = word.find("error"); error != word.end()) {
    throw error_from_json(*error).add_context("starting the virtual machine");
  }
  if (string_or(word, "guest", "") != "pyro"
      || int_or(word, "version", 0) != protocol::k_guest_boot_version) {
    throw Error(ErrorCode::protocol, "the guest's first word is not known: {}", word.dump().substr(0, 200))
        .with_hint("the guest kernel's initramfs belongs to another version; `pyro env pull` makes it anew");
  }
}

} // namespace

void GuestDialogue::await_guest(std::chrono::milliseconds limit) {
  check_word(m_lines.receive(limit));
}

void GuestDialogue::leave_session(std::chrono::milliseconds limit) {
  const auto deadline = os::now_monotonic() + limit;
  os::write_all(m_channel, "\n"); // ends what we still had to say there
  m_lines.send({{"do", "stand"}});
  while (true) {
    try {
      if (bool_or(m_lines.receive(deadline - os::now_monotonic()), "ok", false)) {
        return;
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::protocol) {
        throw; // only what is no JSON is of the session; the deadline ends it
      }
    }
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

} // namespace pyro::backend
