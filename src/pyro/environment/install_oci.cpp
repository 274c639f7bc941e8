// Environments: installing an OCI image, which is many layers at once.
#include "environment.hpp"
#include "oci.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/store/gc.hpp>

namespace pyro::environment {

/// The caller holds the image's lock.
EnvironmentRecord Environments::install_oci(const ImageReference& reference) {
  const auto begin = os::now_monotonic();
  try {
    const auto scratch = m_layers.stage();
    const auto stamp = stamp_of_source(reference);
    const auto place =
        fetch_oci_layout(reference, scratch.directory() + "/scratch", [this](const std::string& line) {
          if (m_progress) {
            m_progress("log", line);
          }
        });
    const auto in_use = store::lock_store_shared(m_base);
    auto imported = import_oci_environment(m_layers, place, [this](const std::string& line) { note(line); });
    EnvironmentRecord record;
    record.digest = imported.digest;
    record.image = reference.canonical();
    record.kind = name_of(reference.kind);
    record.layers = std::move(imported.layers);
    record.details = std::move(imported.details);
    for (const auto& layer : record.layers) {
      const auto manifest = m_layers.open(layer);
      record.size_bytes += manifest.size_bytes;
      record.entry_count += manifest.entry_count;
    }
    record_install(record);
    if (reference.kind != ImageKind::oci) {
      remember_source(reference, stamp, record.digest);
    }
    note(fmt::format(
        "environment {}: {} in {} files of {} layers, {}", reference.text, format_bytes(record.size_bytes),
        record.entry_count, record.layers.size(), format_elapsed(os::now_monotonic() - begin)));
    return record;
  } catch (Error& error) {
    throw error.add_context(fmt::format("preparing environment {}", reference.text));
  }
}

std::map<std::string, std::string>
Environments::image_env(const std::string& image, const std::string& directory, RegistryAccess access) {
  auto reference = parse_image(image, directory);
  reference.access = access;
  find_source(reference, directory, Symlinks::inside);
  if (!is_oci(reference.kind)) {
    return {};
  }
  const auto record = installed(reference);
  return record ? oci_process_of(record->details).env : std::map<std::string, std::string>();
}

} // namespace pyro::environment
