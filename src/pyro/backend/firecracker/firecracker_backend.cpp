#include "firecracker_backend.hpp"

#include "programs.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/backend/shared/start_supervisor.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/network_link.hpp>
#include <pyro/os/process.hpp>

#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

Check program_check() {
  const auto program = find_firecracker();
  if (!program || ::access(program->c_str(), X_OK) != 0) {
    return {
        "firecracker", "error", "firecracker is not installed",
        "Debian has no package: a release from github.com/firecracker-microvm/firecracker, 1.17 or newer "
        "(older ones cannot start Debian's kernel)"};
  }
  return {"firecracker", "ok", fmt::format("{} runs virtual machines", *program), ""};
}

Check jailer_check() {
  const auto program = find_jailer();
  if (::geteuid() != 0) {
    return {
        "firecracker-jailer", "note", "as an ordinary user Firecracker runs without its jailer",
        "run as root"};
  }
  return program && ::access(program->c_str(), X_OK) == 0
             ? Check{"firecracker-jailer", "ok", fmt::format("{} confines Firecracker", *program), ""}
             : Check{
                 "firecracker-jailer", "error",
                 "jailer is not installed, without which root does not start Firecracker",
                 "it is part of Firecracker's release"};
}

/// Opening it is needed but proves nothing; a guest that came up does.
Check kvm_check(const std::string& templates_dir) {
  if (const auto obstacle = kvm_obstacle(); !obstacle.empty()) {
    return {
        "firecracker-kvm", "error", obstacle,
        "a processor with virtualization, and membership of the group kvm"};
  }
  const auto program = find_firecracker();
  const auto verdict = program ? kvm_verdicts(*program, templates_dir).recall("") : std::nullopt;
  if (!verdict) {
    return {
        "firecracker-kvm", "note",
        "KVM was not tried yet: the first machine that starts proves it, or not, "
        "within 10 s",
        ""};
  }
  return verdict->proved
             ? Check{"firecracker-kvm", "ok", "a guest came up with KVM", ""}
             : Check{"firecracker-kvm", "error", verdict->reason, "backend: qemu emulates a processor"};
}

std::string network_shortcoming() {
  if (::geteuid() != 0) {
    return "only root can make TAP devices";
  }
  if (!os::find_program("nft")) {
    return "nft is not installed (apt install nftables)";
  }
  return os::forwards_ipv4("all") ? ""
                                  : "this machine does not forward IPv4 (sysctl -w net.ipv4.ip_forward=1)";
}

Check network_check() {
  const auto shortcoming = network_shortcoming();
  return shortcoming.empty()
             ? Check{"firecracker-network", "ok", "guests get TAP devices of their own", ""}
             : Check{
                 "firecracker-network", "note", "guests have no network beyond loopback: " + shortcoming, ""};
}

class FirecrackerBackend : public Backend {
public:
  FirecrackerBackend(std::string supervisor_path, std::string templates_dir)
      : m_supervisor_path(std::move(supervisor_path)), m_templates_dir(std::move(templates_dir)) {}

  std::string name() const override { return "firecracker"; }

  Isolation isolation() const override { return Isolation::vm; }

  std::string execution_mode() const override { return "guest_vsock"; }

  std::vector<Check> probe() const override {
    return {
        program_check(),
        jailer_check(),
        kvm_check(m_templates_dir),
        {"firecracker-vsock", "ok",
         "guests are reached through Firecracker's own vsock; /dev/vhost-vsock is not needed", ""},
        network_check(),
        {"firecracker-tested", "note",
         "this backend was proved against Firecracker's API description and real TAP devices, but not yet on "
         "hardware with KVM",
         "docs/backends.md has the command that does"}};
  }

  Capabilities capabilities() const override {
    auto capabilities = machine_capabilities();
    capabilities.egress = network_shortcoming().empty();
    const auto program = find_firecracker();
    const auto verdict = program ? kvm_verdicts(*program, m_templates_dir).recall("") : std::nullopt;
    capabilities.emulated = !verdict || !verdict->proved; // never emulated, but not to be taken unasked
    return capabilities;
  }

  Launched start(const LaunchSpec& given) const override {
    auto spec = given;
    spec.kind = LaunchKind::machine; // whose, is the supervisor program's business
    return start_supervisor(m_supervisor_path, spec);
  }

private:
  std::string m_supervisor_path;
  std::string m_templates_dir;
};

} // namespace

std::unique_ptr<Backend> make_backend(std::string supervisor_path, std::string templates_dir) {
  return std::make_unique<FirecrackerBackend>(std::move(supervisor_path), std::move(templates_dir));
}

} // namespace pyro::backend::firecracker
