// KVM or emulation? (backend/shared/kvm_verdict.hpp)
#pragma once

#include "machine_shape.hpp"

#include <pyro/backend/launch_spec.hpp>

#include <string>

namespace pyro::backend::qemu {

struct Acceleration {
  Accelerator kind = Accelerator::tcg;
  std::string reason; // why it is not KVM; empty: it is
};

/// `staging`: an empty directory for the trial.
Acceleration
choose_acceleration(const std::string& program, const VirtualMachine& machine, const std::string& staging);

/// What an earlier trial said, or what can be said without one; never boots anything.
Acceleration remembered_acceleration(const std::string& program, const std::string& templates_dir);

} // namespace pyro::backend::qemu
