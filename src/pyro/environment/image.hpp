// What `environment.image` says, taken apart. Pure but for making paths absolute.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::environment {

enum class ImageKind { host, directory, archive, debian, registry, oci, oci_archive, docker_archive };

/// As in front of a reference: "host", "dir", "tar", "debian", "docker", "oci", …
std::string_view name_of(ImageKind kind);

/// Made of OCI layers, wherever it comes from?
bool is_oci(ImageKind kind);

/// How an image of a registry is fetched.
enum class RegistryAccess {
  anonymous, // without the user's accounts and certificates, and out of reach of this machine's own network
  agreed,    // as the user: asked for by hand, or agreed to (workspace/context/host_requests.hpp)
};

struct ImageReference {
  ImageKind kind = ImageKind::host;
  std::string text;    // as asked for
  std::string path;    // directories and archives: absolute and normal
  std::string source;  // and where they are read: no symlink is on it (find_source())
  std::string variant; // debian: "", "base" or "build"; of OCI layouts and archives the tag
  std::string name;    // registry: "docker.io/library/alpine:3"
  RegistryAccess access = RegistryAccess::anonymous;

  /// The same image, however its path or name was spelled: "dir:/absolute".
  std::string canonical() const;
};

/// Relative paths are below `directory`. A tag follows the last colon of a path, where no slash is behind it.
/// What is nothing else is the name of an image in a registry, Docker's where it names none.
/// Error(invalid_argument) for what is no image at all.
ImageReference parse_image(const std::string& image, const std::string& directory);

enum class Symlinks {
  inside,   // an image that is said to lie in `directory` must do so: Error(permission)
  followed, // who asks is the user
};

/// How a lock speaks of an image.
struct LockName {
  std::string name;       // empty: it cannot be locked
  bool by_digest = false; // fetched from a registry, by the digest in the lock; others are compared with it
  std::string why_not;    // it cannot be locked; empty as well: it names its digest itself
};

/// "docker.io/library/alpine:3", "debian:12 linux/amd64" (each architecture has its packages), "tar:root.tar"
/// with the path as it was written: relative to `directory`, or absolute.
LockName lock_name(const std::string& image, const std::string& directory);

/// Finds out where a directory or archive is. It is opened by os::open_found(), so that whoever may change
/// `directory` cannot lead us elsewhere afterwards.
void find_source(ImageReference& reference, const std::string& directory, Symlinks symlinks);

/// Has the registry of this name ("HOST/NAME:TAG") none in public: an address, localhost, a name without a
/// dot, or one of those that only home and company networks have?
bool is_private_registry(const std::string& name);

/// The images that need no path: "host", "debian:12", ...
std::vector<std::string> available_images();

} // namespace pyro::environment
