#include "machine.hpp"

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
    const std::string& staging, os::Cgroup& cgroup) {
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
  command.egress = shape.network;
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
  while (get_string(m_qmp->execute("query-status"), "status") == "inmigrate") {
    if (os::now_monotonic() > deadline) {
      throw Error(ErrorCode::timeout, "the saved guest was not loaded within {} ms", limit.count());
    }
    ::poll(nullptr, 0, 1);
  }
}

void Machine::save() {
  m_qmp->execute("stop");
  // The devices' state without the memory, which is in its shared file. Unlike `migrate` it does not ask
  // whether every disk's format could be migrated: ours are read-only or saved beside it.
  m_qmp->execute("xen-save-devices-state", {{"filename", seen::k_state}, {"live", false}});
}

/// Of what the kernel and the agent said on the console, unread so far.
std::vector<std::string> Machine::last_words() const {
  std::string text(64 << 10, '\0');
  const auto count = ::recv(m_console.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  std::erase_if(text, [](char letter) { return (letter < ' ' || letter > '~') && letter != '\n'; });
  return last_lines(text);
}

Json Machine::hear_guest(std::chrono::milliseconds limit) {
  os::JsonLines lines(m_channel.get(), "the guest");
  Json word;
  try {
    word = lines.receive(limit);
  } catch (Error& error) {
    throw error.with_output(last_words());
  }
  if (const auto error = word.find("error"); error != word.end()) {
    throw error_from_json(*error).add_context("starting the virtual machine");
  }
  return word;
}

void Machine::await_guest(std::chrono::milliseconds limit) {
  const auto word = hear_guest(limit);
  if (string_or(word, "guest", "") != "pyro"
      || int_or(word, "version", 0) != protocol::k_guest_boot_version) {
    throw Error(ErrorCode::protocol, "the guest's first word is not known: {}", word.dump().substr(0, 200))
        .with_hint("the guest kernel's initramfs belongs to another version; `pyro env pull` makes it anew");
  }
}

void Machine::ask_guest(const Json& request, std::chrono::milliseconds limit) {
  os::JsonLines(m_channel.get(), "the guest").send(request);
  if (!bool_or(hear_guest(limit), "ok", false)) {
    throw Error(ErrorCode::protocol, "the guest did not do '{}'", get_string(request, "do"));
  }
}

} // namespace pyro::backend::qemu
