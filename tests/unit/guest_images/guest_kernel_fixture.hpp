// A kernel package of a few bytes: real enough for whoever looks for its parts.
#pragma once

#include "../environment/fixture.hpp"

#include <pyro/guest_images/kernel.hpp>
#include <pyro/guest_images/modules.hpp>

#include <cstring>
#include <elf.h>

namespace pyro::guest_images {

/// An object file whose section .modinfo says what it depends on.
inline std::string kernel_module(const std::string& name, const std::string& depends) {
  const std::string information =
      std::string("license=GPL") + '\0' + "depends=" + depends + '\0' + "name=" + name + '\0';
  const std::string names = std::string(1, '\0') + ".modinfo" + '\0' + ".shstrtab" + '\0';
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_REL;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  header.e_shoff = sizeof header;
  const auto begin = sizeof header + 3 * sizeof(Elf64_Shdr);
  std::array<Elf64_Shdr, 3> sections{};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_offset = begin;
  sections[1].sh_size = information.size();
  sections[2].sh_name = 10;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = begin + information.size();
  sections[2].sh_size = names.size();
  std::string elf(begin, '\0');
  std::memcpy(elf.data(), &header, sizeof header);
  std::memcpy(elf.data() + sizeof header, sections.data(), sizeof sections);
  return elf + information + names;
}

class GuestKernelTest : public environment::EnvironmentTest {
protected:
  GuestKernelTest() { write("pyro-agent", "agent 1", 0755); }

  /// Like linux-image-cloud-amd64, with modules that depend on each other as there.
  void write_package(const std::string& tree, const std::string& version = "6.1.0-test") const {
    write(tree + "/boot/vmlinuz-" + version, "kernel " + version);
    const auto module = [&](const std::string& place, const std::string& name, const std::string& depends) {
      write(
          fmt::format("{}/lib/modules/{}/kernel/{}/{}.ko", tree, version, place, name),
          kernel_module(name, depends));
    };
    module("drivers/virtio", "virtio", "virtio_ring");
    module("drivers/virtio", "virtio_ring", "");
    module("drivers/virtio", "virtio_pci_legacy_dev", "");
    module("drivers/virtio", "virtio_pci_modern_dev", "");
    module("drivers/virtio", "virtio_pci", "virtio_ring,virtio_pci_modern_dev,virtio_pci_legacy_dev,virtio");
    module("drivers/virtio", "virtio_mmio", "virtio,virtio_ring");
    module("drivers/char", "virtio_console", "virtio,virtio_ring");
    module("drivers/block", "virtio_blk", "virtio,virtio_ring");
    module("drivers/char/hw_random", "virtio-rng", "virtio,virtio_ring");
    module("net/core", "failover", "");
    module("drivers/net", "net_failover", "failover");
    module("drivers/net", "virtio_net", "virtio_ring,virtio,net_failover");
    module("net/vmw_vsock", "vsock", "");
    module("net/vmw_vsock", "vmw_vsock_virtio_transport_common", "vsock");
    module(
        "net/vmw_vsock", "vmw_vsock_virtio_transport",
        "virtio,vmw_vsock_virtio_transport_common,virtio_ring,vsock");
    module("lib", "libcrc32c", "");
    module("fs/erofs", "erofs", "libcrc32c");
    module("fs/overlayfs", "overlay", "");
    module("fs/fat", "fat", "");
  }

  GuestKernels kernels() {
    return GuestKernels(
        path("pyro-agent"), {}, path("cache"),
        [this](const std::string& tree, const std::string&, const std::function<void(const std::string&)>&) {
          ++m_fetched;
          if (!m_failure.empty()) {
            os::make_directories(tree + "/boot");
            throw Error(ErrorCode::failed, "{}", m_failure);
          }
          write_package(std::filesystem::relative(tree, m_root).string(), m_version);
          return Json::array({{{"name", "linux-image-test"}, {"version", m_version}}});
        });
  }

  std::string directory() const { return path("cache/environments/kernels"); }

  int m_fetched = 0;
  std::string m_version = "6.1.0-test";
  std::string m_failure;
};

} // namespace pyro::guest_images
