#include "qemu_backend.hpp"

#include "acceleration.hpp"
#include "program.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/backend/shared/start_supervisor.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

namespace pyro::backend::qemu {

namespace {

struct Tool {
  const char* check;
  const char* program;
  const char* package;
  const char* purpose;
};

constexpr std::array k_tools{
    Tool{"qemu-system", "qemu-system-x86_64", "qemu-system-x86", "runs virtual machines"},
    Tool{"mkfs.erofs", "mkfs.erofs", "erofs-utils", "makes images of layers for virtual machines"},
    Tool{"mke2fs", "mke2fs", "e2fsprogs", "makes the scratch disks of virtual machines"}};

class QemuBackend : public Backend {
public:
  QemuBackend(std::string supervisor_path, std::string templates_dir)
      : m_supervisor_path(std::move(supervisor_path)), m_templates_dir(std::move(templates_dir)) {}

  std::string name() const override { return "qemu"; }

  Isolation isolation() const override { return Isolation::vm; }

  std::string execution_mode() const override { return "guest_serial"; }

  std::vector<Check> probe() const override {
    std::vector<Check> checks;
    for (const auto& tool : k_tools) {
      const auto path = os::find_program(tool.program);
      checks.push_back(
          path ? Check{tool.check, "ok", fmt::format("{} ({})", *path, tool.purpose), ""}
               : Check{
                   tool.check, "error", fmt::format("{} is not installed: it {}", tool.program, tool.purpose),
                   fmt::format("apt install {}", tool.package)});
    }
    if (const auto program = os::find_program(k_tools.front().program)) {
      const auto acceleration = remembered_acceleration(*program, m_templates_dir);
      checks.push_back(
          acceleration.kind == Accelerator::kvm
              ? Check{"kvm", "ok", "a guest came up with KVM", ""}
              : Check{
                  "kvm", "note", fmt::format("virtual machines are emulated (TCG): {}", acceleration.reason),
                  "emulation is real isolation, but much slower; KVM needs a usable /dev/kvm"});
    } else {
      checks.push_back({"kvm", "note", "not tried: there is no qemu-system-x86_64", ""});
    }
    return checks;
  }

  Capabilities capabilities() const override {
    auto capabilities = machine_capabilities();
    capabilities.egress = os::find_program("pasta").has_value();
    capabilities.egress_filter = true;
    capabilities.memory_snapshot = true;
    const auto program = os::find_program(k_tools.front().program);
    capabilities.emulated =
        !program || remembered_acceleration(*program, m_templates_dir).kind == Accelerator::tcg;
    return capabilities;
  }

  Launched start(const LaunchSpec& given) const override {
    auto spec = given;
    spec.kind = LaunchKind::machine;
    return start_supervisor(m_supervisor_path, spec);
  }

private:
  std::string m_supervisor_path;
  std::string m_templates_dir;
};

} // namespace

std::unique_ptr<Backend> make_backend(std::string supervisor_path, std::string templates_dir) {
  return std::make_unique<QemuBackend>(std::move(supervisor_path), std::move(templates_dir));
}

} // namespace pyro::backend::qemu
