#include "machine.hpp"

#include "saved_guest.hpp"

#include <pyro/backend/shared/guest_dialogue.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <poll.h>

namespace pyro::backend::qemu {

namespace {

constexpr const char* k_incoming = "state";

std::vector<SharedFile> shared_files(const StartMode& mode, const MachineFiles& files) {
  std::vector<SharedFile> shared{
      {files.kernel, seen::k_kernel},
      {files.initrd, seen::k_initrd},
      {files.images, seen::k_images},
      {files.scratch, seen::k_scratch, true}};
  shared.insert(shared.end(), files.extents.begin(), files.extents.end());
  if (mode.memory != Memory::anonymous) {
    // A private mapping never writes to the file, but QEMU 7.2 opens it for writing all the same.
    shared.push_back({files.memory, seen::k_memory, true});
  }
  if (!files.state.empty()) {
    shared.push_back({files.state, seen::k_state, true});
  }
  return shared;
}

} // namespace

Machine::Machine(
    const std::string& program, const MachineShape& shape, const StartMode& mode, const MachineFiles& files,
    const std::string& staging, os::Cgroup& cgroup, const LaunchSpec* network) {
  auto [channel, guest_channel] = os::socket_pair();
  auto [monitor, guest_monitor] = os::socket_pair();
  auto [console, guest_console] = os::socket_pair();
  ConfinedCommand command;
  command.program = program;
  command.arguments = arguments(shape, mode);
  command.fds = {
      {2, 2},
      {k_channel_fd, guest_channel.get()},
      {k_qmp_fd, guest_monitor.get()},
      {k_console_fd, guest_console.get()}};
  command.files = shared_files(mode, files);
  command.staging = staging;
  command.kvm = shape.accelerator == Accelerator::kvm;
  command.network = network;
  m_confined = start_confined(command, cgroup);
  m_channel = std::move(channel);
  m_console = std::move(console);
  m_qmp.emplace(std::move(monitor));
}

void Machine::await_monitor(std::chrono::milliseconds limit) {
  m_qmp->greet(limit);
}

void Machine::load(int state, std::chrono::milliseconds limit) {
  const auto deadline = os::now_monotonic() + limit;
  m_qmp->execute(
      "migrate-set-capabilities",
      {{"capabilities", Json::array({{{"capability", "x-ignore-shared"}, {"state", true}}})}});
  m_qmp->give_fd(k_incoming, state);
  m_qmp->execute("migrate-incoming", {{"uri", fmt::format("fd:{}", k_incoming)}});
  m_qmp->execute("cont"); // as soon as it is loaded
  while (get_string(m_qmp->execute("query-status"), "status") == "inmigrate") {
    if (os::now_monotonic() > deadline) {
      throw Error(ErrorCode::timeout, "the saved guest was not loaded within {} ms", limit.count());
    }
    ::poll(nullptr, 0, 1);
  }
}

void Machine::save() {
  m_qmp->execute("stop");
  save_devices(*m_qmp);
}

/// Of what the kernel and the agent said on the console, unread so far.
std::vector<std::string> Machine::last_words() const {
  std::string text(64 << 10, '\0');
  const auto count = ::recv(m_console.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  std::erase_if(text, [](char letter) { return (letter < ' ' || letter > '~') && letter != '\n'; });
  return last_lines(text);
}

template <typename Exchange>
void Machine::with_last_words(Exchange&& exchange) {
  try {
    exchange(GuestDialogue(m_channel.get()));
  } catch (Error& error) {
    throw error.with_output(last_words());
  }
}

void Machine::await_guest(std::chrono::milliseconds limit) {
  with_last_words([&](GuestDialogue guest) { guest.await_guest(limit); });
}

void Machine::ask_guest(const Json& request, std::chrono::milliseconds limit) {
  with_last_words([&](GuestDialogue guest) { guest.ask(request, limit); });
}

} // namespace pyro::backend::qemu
