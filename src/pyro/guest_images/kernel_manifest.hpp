// What is written down of an installed kernel for virtual machines: its files with their digests and the
// packages they are from.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::guest_images {

inline constexpr const char* k_kernel_file = "vmlinuz";

struct KernelFile {
  std::string name; // "vmlinuz", "modules/virtio.ko"
  HexDigest digest;
  std::uint64_t size_bytes = 0;
};

void to_json(Json& json, const KernelFile& file);

struct InstalledKernel {
  std::string directory; // where it is; not written down
  HexDigest digest;      // over version, names and digests of the files; the directory's name
  std::string version;
  double created_at = 0;
  Json packages;
  std::vector<KernelFile> files; // the kernel, then modules in load order

  HexDigest digest_of_files() const;
  std::uint64_t size_bytes() const;

  std::string path(const std::string& name) const { return directory + "/" + name; }

  /// File names of the modules.
  std::vector<std::string> load_order() const;
};

Json to_json(const InstalledKernel& kernel);
/// With its digest, without its directory. Error(protocol) for what cannot be one.
InstalledKernel installed_kernel_from_json(const Json& value);

} // namespace pyro::guest_images
