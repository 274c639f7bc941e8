// Environments: what a lock holds an image to.
#include "debian.hpp"
#include "environment.hpp"
#include "reference.hpp"
#include "skopeo.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/layout.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/inside.hpp>

namespace pyro::environment {

std::optional<std::string>
Environments::pinned(const std::string& image, const std::string& directory, RegistryAccess access) {
  const auto locked = lock_name(image, directory);
  if (!locked.by_digest) {
    return std::nullopt;
  }
  const auto& name = locked.name;
  m_base.prepare();
  const auto scratch = m_layers.stage();
  const auto place = scratch.directory() + "/scratch";
  os::make_directories(place);
  SkopeoCopy look{"docker://" + name, {}, place, access};
  const auto digest = digest_in_registry(look, [this](const std::string& line) {
    if (m_progress) {
      m_progress("log", line);
    }
  });
  return fmt::format("{}@sha256:{}", name.substr(0, name.rfind(':')), digest);
}

Environment Environments::resolve_pinned(
    const std::string& image, const std::string& exact, const std::string& directory, RegistryAccess access) {
  auto environment = resolve(exact, directory, access);
  auto reference = parse_image(image, directory);
  reference.access = access;
  remember_source(reference, "", environment.digest);
  return environment;
}

std::optional<std::string>
Environments::digest_for_lock(const std::string& image, const std::string& directory, RegistryAccess access) {
  const auto reference = reference_of(image, directory, access);
  const auto named = [](const HexDigest& digest) {
    return std::optional("sha256:" + digest);
  };
  switch (reference.kind) {
  case ImageKind::archive:
  case ImageKind::oci_archive:
  case ImageKind::docker_archive:
    if (!os::exists(reference.source)) {
      throw Error(ErrorCode::input_missing, "the archive {} does not exist", reference.path);
    }
    return named(m_cache.digest_of_file(os::open_found_file(reference.source), reference.source));
  case ImageKind::oci:
    return named(oci::OciLayout(reference.source).digest(reference.variant));
  case ImageKind::debian: {
    const auto record = installed(reference);
    return record ? named(digest_of_packages(record->details.value("packages", Json::array())))
                  : std::nullopt;
  }
  case ImageKind::registry:
  case ImageKind::host:
  case ImageKind::directory:
    break;
  }
  return std::nullopt;
}

} // namespace pyro::environment
