// Which Firecracker is used, and what is known of whether it works on this machine.
#pragma once

#include <optional>
#include <string>

namespace pyro::backend::firecracker {

/// PYRO_FIRECRACKER, else `firecracker` in PATH; nullopt: there is none.
std::optional<std::string> find_firecracker();
/// PYRO_JAILER, else `jailer` in PATH.
std::optional<std::string> find_jailer();

/// A guest was booted against a deadline, once per boot of this machine, Firecracker and kernel. That
/// /dev/kvm opens proves nothing.
struct KvmVerdict {
  bool proved = false;
  std::string reason; // why it is not
};

/// nullopt: not tried yet. `kernel_digest`: empty for any kernel.
std::optional<KvmVerdict> recall_kvm_verdict(
    const std::string& firecracker, const std::string& directory, const std::string& kernel_digest);
void remember_kvm_verdict(
    const std::string& firecracker, const std::string& directory, const std::string& kernel_digest,
    const KvmVerdict& verdict);

} // namespace pyro::backend::firecracker
