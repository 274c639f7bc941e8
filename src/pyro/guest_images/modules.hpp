// The kernel and its modules in an unpacked kernel package: which files, and in which order they are loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::guest_images {

struct KernelModule {
  std::string name; // its file: "virtio_blk.ko"
  std::string path;
};

struct KernelTree {
  std::string version;               // as uname -r would say
  std::string kernel;                // path of the bootable image
  std::vector<KernelModule> modules; // in the order in which they must be loaded
};

/// What a guest cannot do without: virtio's devices, the file systems of its root.
const std::vector<std::string>& guest_module_names();

/// Finds the kernel and these modules with all that they depend on. Error(failed) that names what is missing.
KernelTree
read_kernel_tree(const std::string& tree, const std::vector<std::string>& names = guest_module_names());

/// The modules that a module needs ("virtio", "virtio_ring"), from the section .modinfo of its file. Error
/// (protocol) for what is no module.
std::vector<std::string> module_dependencies(std::string_view elf);

} // namespace pyro::guest_images
