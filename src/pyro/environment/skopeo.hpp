// Copies of images between registries, archives and OCI layouts by skopeo(1): registries, their accounts and
// certificates are its business, configured as for every other container tool.
#pragma once

#include "image.hpp"

#include <pyro/base/sha256.hpp>

#include <functional>
#include <string>

namespace pyro::environment {

struct SkopeoCopy {
  std::string from; // "docker://alpine:3", "docker-archive:FILE", "oci:DIRECTORY:TAG"
  std::string to;
  std::string directory; // where it runs, and its own; relative paths in both are below it
  RegistryAccess access = RegistryAccess::anonymous;
  int archive = -1; // is there for it as k_archive_of_skopeo
};

constexpr const char* k_archive_of_skopeo = "/proc/self/fd/3";

/// Error(unavailable) where a program is missing that copy_image() needs.
void require_copy_tools(RegistryAccess access);

/// Error(unavailable) where skopeo is not installed, Error(failed) with its last lines where it fails. Of an
/// image for several platforms only the one for this machine is copied. A registry on this machine itself
/// (localhost, 127.0.0.0/8, ::1) may speak plain HTTP; for any other see containers-registries.conf(5). How
/// much comes, and how slowly, is bounded (image_watch.hpp).
void copy_image(const SkopeoCopy& copy, const std::function<void(const std::string& line)>& line);

/// The digest by which the registry has what `from` names now; `to` is not used. Errors as above.
HexDigest
digest_in_registry(const SkopeoCopy& look, const std::function<void(const std::string& line)>& line);

/// Is this "docker://HOST…" a registry on the loopback interface?
bool is_loopback_registry(const std::string& reference);

} // namespace pyro::environment
