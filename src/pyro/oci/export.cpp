#include "export.hpp"

#include "import.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/archive_writer.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::oci {

namespace {

class Export {
public:
  Export(
      const store::LayerStore& layers, const OciExport& wanted, std::string directory,
      const std::function<void(const std::string&)>& progress)
      : m_layers(layers), m_wanted(wanted), m_directory(std::move(directory)), m_progress(progress) {}

  OciExportReport run() {
    os::make_directories(blobs(), 0755);
    OciManifest manifest;
    OciConfig config = m_wanted.process;
    config.platform = host_platform();
    config.diff_ids.clear();
    std::vector<std::string> history;
    for (std::size_t index = 0; index < m_wanted.layers.size(); ++index) {
      const auto& layer = m_wanted.layers[index];
      if (m_progress) {
        m_progress(fmt::format("packing layer {} of {}", index + 1, m_wanted.layers.size()));
      }
      const auto [descriptor, diff_id] = pack(layer);
      manifest.layers.push_back(descriptor);
      config.diff_ids.push_back(diff_id);
      history.push_back("pyro " + m_layers.open(layer).kind);
      m_report.packed_bytes += descriptor.size;
    }
    manifest.config = put(to_text(config, history), k_oci_config_type);
    auto described = put(to_text(manifest), k_oci_manifest_type);
    described.platform = config.platform;
    described.ref_name = m_wanted.tag;
    write_file("index.json", to_text(OciIndex{{described}}));
    write_file("oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}\n");
    m_report.manifest = described.digest;
    m_report.config = manifest.config.digest;
    m_report.layers = manifest.layers;
    return m_report;
  }

private:
  std::string blobs() const { return m_directory + "/blobs/sha256"; }

  std::string media_type() const {
    return m_wanted.compression == os::Compression::none
               ? std::string(k_oci_layer_type)
               : fmt::format("{}+{}", k_oci_layer_type, os::name_of(m_wanted.compression));
  }

  std::pair<OciDescriptor, HexDigest> pack(const HexDigest& layer) const {
    const auto temporary = m_directory + "/layer.tmp";
    const auto file = os::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const auto packed = os::IdSpace::current().run([&]() -> Json {
      constexpr int k_level = 6; // gzip's own; for zstd a little more than its 3
      os::PackedSink sink(file.get(), m_wanted.compression, k_level);
      os::ArchiveOptions options;
      options.whiteouts = os::Whiteouts::overlay;
      options.root = os::RootMember::include;
      os::write_archive_to(os::open_directory(m_layers.tree(layer)).get(), sink, options);
      const auto result = sink.finish();
      return {{"packed", result.packed}, {"unpacked", result.unpacked}, {"bytes", result.packed_bytes}};
    });
    OciDescriptor descriptor;
    descriptor.media_type = media_type();
    descriptor.digest = get_string(packed, "packed");
    descriptor.size = static_cast<std::uint64_t>(get_int(packed, "bytes"));
    const auto place = blobs() + "/" + descriptor.digest;
    if (::rename(temporary.c_str(), place.c_str()) != 0) {
      throw Error::from_errno(errno, fmt::format("rename {} to {}", temporary, place));
    }
    auto diff_id = get_string(packed, "unpacked");
    remember_oci_layer(m_layers, {diff_id, descriptor.digest}, layer);
    return {descriptor, diff_id};
  }

  OciDescriptor put(const std::string& text, std::string_view media_type) const {
    OciDescriptor descriptor;
    descriptor.media_type = media_type;
    descriptor.digest = sha256_of(text);
    descriptor.size = text.size();
    write_file("blobs/sha256/" + descriptor.digest, text);
    return descriptor;
  }

  void write_file(const std::string& name, const std::string& text) const {
    const auto file = os::open_file(m_directory + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    os::write_all(file.get(), text);
  }

  const store::LayerStore& m_layers;
  const OciExport& m_wanted;
  std::string m_directory;
  const std::function<void(const std::string&)>& m_progress;
  OciExportReport m_report;
};

} // namespace

OciExportReport export_oci_layout(
    const store::LayerStore& layers, const OciExport& wanted, const std::string& directory,
    const std::function<void(const std::string&)>& progress) {
  return Export(layers, wanted, directory, progress).run();
}

} // namespace pyro::oci
