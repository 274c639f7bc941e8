// This machine's programs (/usr, /opt) as one EROFS image, so that virtual machines can stand on the
// environment `host`: it goes below the environment's layers. Unlike a sandbox, which sees them live, a VM
// sees them as they were when the packages last changed; the newest image is kept (store/gc_images.cpp). For
// layers: layer_images.hpp.
#pragma once

#include "environment.hpp"
#include "environment_cache.hpp"

#include <pyro/store/layout.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::workspace {

class HostImages {
public:
  /// `cache`: see Environments.
  HostImages(const store::Base& base, EnvironmentProgress progress, std::string cache = {})
      : m_base(base), m_progress(std::move(progress)), m_cache(std::move(cache)) {}

  /// The path of the image with these directories ("usr", "opt": Environment::host_dirs) at its root, made
  /// where there is none since the machine's packages changed: all of it is copied, which takes time and
  /// space. What not everybody may read is left out, since who is root in a VM reads all of its disks. Owners
  /// are kept for root; for an ordinary user all belongs to root inside.
  std::string image_of(const std::vector<std::string>& directories) const;

private:
  store::Base m_base;
  EnvironmentProgress m_progress;
  EnvironmentCache m_cache;
};

/// What an image leaves out, and how large the rest is.
struct PublicPart {
  std::vector<std::string> excluded; // relative to the root
  std::uint64_t size_bytes = 0;
};

/// Of the root only these directories, without `masked` (relative to the root) and what is not public.
PublicPart public_part(
    const std::string& root, const std::vector<std::string>& directories,
    const std::vector<std::string>& masked);

} // namespace pyro::workspace
