// What a QEMU machine looks like, apart from its files: two machines of one shape can be cloned from one
// template.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <string>

namespace pyro::backend::qemu {

enum class Accelerator { tcg, kvm };

std::string_view name_of(Accelerator accelerator);

struct MachineShape {
  Accelerator accelerator = Accelerator::tcg;
  std::int64_t cpus = 1;
  std::int64_t memory_mib = 1024;
  bool network = false;
};

} // namespace pyro::backend::qemu
