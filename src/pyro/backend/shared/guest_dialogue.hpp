// Our side of what is said while the agent of a virtual machine has no session (protocol/guest_boot.hpp).
#pragma once

#include <pyro/os/json_lines.hpp>
#include <pyro/protocol/guest_boot.hpp>

#include <chrono>

namespace pyro::backend {

class GuestDialogue {
public:
  /// `channel` stays the caller's; nothing of what follows the dialogue is read from it.
  explicit GuestDialogue(int channel) : m_channel(channel), m_lines(channel, "the guest", k_longest_line) {}

  /// The guest's first word. Throws Error(protocol) for another one than ours.
  void await_guest(std::chrono::milliseconds limit);
  /// Of one that was just suspended: leaves its session behind.
  void leave_session(std::chrono::milliseconds limit);
  /// One request; throws the guest's Error.
  void ask(const Json& request, std::chrono::milliseconds limit);

private:
  static constexpr std::size_t k_longest_line = 256 << 10;

  int m_channel;
  os::JsonLines m_lines;
};

} // namespace pyro::backend
