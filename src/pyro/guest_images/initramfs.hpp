// The initramfs of virtual machines: our agent as /init, the modules it loads first, and nothing else.
#pragma once

#include <pyro/base/sha256.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::guest_images {

struct InitramfsInput {
  std::string agent;              // path of a static program
  std::string modules;            // the directory that holds them
  std::vector<std::string> order; // their file names, as they are to be loaded
};

struct InitramfsOutput {
  HexDigest digest;
  std::uint64_t size_bytes = 0;
};

/// Writes it to `path`, published atomically. The same input gives the same bytes.
InitramfsOutput write_initramfs(const InitramfsInput& input, const std::string& path);

/// Changes with the layout of what write_initramfs() writes.
inline constexpr int k_initramfs_format = 1;

} // namespace pyro::guest_images
