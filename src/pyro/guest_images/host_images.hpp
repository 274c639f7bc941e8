// This machine's directories ("usr", "opt") as EROFS images, so that virtual machines can stand on the
// environment `host`. Unlike a sandbox, which sees them live, a VM sees them as they were when the package
// database last changed; the newest image of each is kept (store/gc_images.cpp). For layers:
// layer_images.hpp.
#pragma once

#include <pyro/environment/cache.hpp>
#include <pyro/environment/environment.hpp>
#include <pyro/store/layout.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::guest_images {

class HostImages {
public:
  /// `cache`: see Environments.
  HostImages(const store::Base& base, environment::EnvironmentProgress progress, std::string cache = {})
      : m_base(base), m_progress(std::move(progress)), m_cache(std::move(cache)) {}

  /// The path of the image of a directory that Environment::host_dirs names, made where there is none since
  /// the machine's packages changed: it copies all of it, which takes time and space. What not everybody may
  /// read is left out, since who is root in a VM reads all of its disks. Owners are kept for root; for an
  /// ordinary user all belongs to root inside.
  std::string image_of(const std::string& directory) const;

private:
  store::Base m_base;
  environment::EnvironmentProgress m_progress;
  environment::EnvironmentCache m_cache;
};

/// What an image of a directory leaves out, and how large the rest is.
struct PublicPart {
  std::vector<std::string> excluded; // relative to the directory
  std::uint64_t size_bytes = 0;
};

/// `masked` are paths relative to `directory` that are left out in any case.
PublicPart public_part(const std::string& directory, const std::vector<std::string>& masked);

} // namespace pyro::guest_images
