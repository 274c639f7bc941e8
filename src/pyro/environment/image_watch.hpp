// Bounds for what a registry or an archive sends: bytes in all, bytes that stay free on the disk, and time in
// which nothing comes. Whoever sends decides about all three.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pyro::environment {

struct ImageLimits {
  std::uint64_t bytes = 32ULL << 30;          // PYRO_IMAGE_SIZE
  std::chrono::milliseconds silence{120'000}; // PYRO_IMAGE_PATIENCE
};

/// Those of the environment. Error(usage) for what is no size or duration.
ImageLimits image_limits();

/// Looks at the directory into which an image comes.
class ImageWatch {
public:
  enum class Silence { allowed, limited };

  ImageWatch(std::string image, std::string directory, ImageLimits limits, Silence silence);

  /// Throws Error(failed) that names the image and the limit, Error(disk_full) where the disk's last tenth
  /// (at most a GiB of it) is reached. To be called again and again.
  void check();
  [[noreturn]] void throw_too_large() const;

private:
  std::string m_image;
  std::string m_directory;
  ImageLimits m_limits;
  Silence m_silence;
  std::uint64_t m_to_be_free = 0;
  std::uint64_t m_bytes = 0;
  std::chrono::steady_clock::time_point m_last_look{};
  std::chrono::steady_clock::time_point m_last_growth;
};

} // namespace pyro::environment
