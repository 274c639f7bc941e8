// Which Firecracker is used, and what is known of whether it works on this machine.
#pragma once

#include <pyro/backend/shared/kvm_verdict.hpp>

#include <optional>
#include <string>

namespace pyro::backend::firecracker {

/// PYRO_FIRECRACKER, else `firecracker` in PATH; nullopt: there is none.
std::optional<std::string> find_firecracker();
/// PYRO_JAILER, else `jailer` in PATH.
std::optional<std::string> find_jailer();

/// What is known of KVM and this program, in the directory of templates.
KvmVerdicts kvm_verdicts(const std::string& firecracker, const std::string& directory);

} // namespace pyro::backend::firecracker
