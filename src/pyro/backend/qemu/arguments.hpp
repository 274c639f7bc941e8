// The command line of QEMU: a pure function of the machine's shape and of how it starts.
#pragma once

#include "machine_shape.hpp"

#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// Where the files of a machine are seen by its QEMU, which sees nothing else of this machine's
/// (confinement.hpp).
namespace seen {
inline constexpr const char* k_kernel = "/vm/kernel";
inline constexpr const char* k_initrd = "/vm/initrd";
inline constexpr const char* k_memory = "/vm/memory";
inline constexpr const char* k_state = "/vm/state";
inline constexpr const char* k_images = "/vm/images"; // of the layers, as one disk
inline constexpr const char* k_scratch = "/vm/scratch";
} // namespace seen

/// Descriptors that QEMU inherits.
inline constexpr int k_channel_fd = 3;
inline constexpr int k_qmp_fd = 4;
inline constexpr int k_console_fd = 5;

/// Where the guest's memory is.
enum class Memory {
  anonymous,   // nowhere: a machine that nothing is cloned from
  shared_file, // in the file, which becomes a template
  private_file // copied from the file when written to: a clone
};

/// What the disk of layers is.
enum class ImagesFormat {
  raw, // a file
  vmdk // a descriptor of the files of which it consists
};

struct StartMode {
  Memory memory = Memory::anonymous;
  ImagesFormat images = ImagesFormat::vmdk;
  bool incoming = false; // waits for a saved state instead of booting
};

/// argv, without the program. The machine is stopped when it starts; QMP "cont" lets it run.
std::vector<std::string> arguments(const MachineShape& shape, const StartMode& mode);

} // namespace pyro::backend::qemu
