#include "oci_fixture.hpp"

#include <pyro/os/random.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/store/layered_view.hpp>

#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>
#include <unistd.h>

namespace pyro::oci::test {

namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string describe(const os::Fd& fd, const struct stat& status) {
  auto text = fmt::format("{:o} {}:{}", status.st_mode, status.st_uid, status.st_gid);
  if (S_ISREG(status.st_mode)) {
    text += " " + os::read_all(fd.get(), 1 << 24);
  }
  for (const auto& [name, value] : os::extended_attributes_of(fd.get())) {
    text += fmt::format(" {}={}", name, value);
  }
  return text;
}

/// JSON holds no bytes that are not UTF-8.
std::string hex(const std::string& bytes) {
  return to_hex(std::as_bytes(std::span(bytes)));
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

std::map<std::string, std::string> from_json(const Json& found) {
  std::map<std::string, std::string> result;
  for (const auto& [path, text] : found.items()) {
    result[from_hex(path)] = from_hex(text.get<std::string>());
  }
  return result;
}

void add_merged(const store::LayeredDirectory& directory, const std::string& path, Json& result) {
  for (const auto& name : directory.names()) {
    const auto whole = path.empty() ? name : path + "/" + name;
    const auto found = directory.lookup(name);
    if (found->is_directory()) {
      const auto below = directory.enter(name);
      auto text = describe(*below->sources().front().fd, found->status);
      if (const auto mark = text.find(" user.overlay.opaque=y"); mark != std::string::npos) {
        text.resize(mark); // not to be seen in the merged tree
      }
      result[hex(whole)] = hex(text);
      add_merged(*below, whole, result);
    } else if (found->is_file()) {
      result[hex(whole)] = hex(describe(found->open(), found->status));
    } else {
      result[hex(whole)] = hex(
          fmt::format("{:o} -> {}", found->status.st_mode, found->is_symlink() ? found->link_target() : ""));
    }
  }
}

} // namespace

std::string packed(const std::string& bytes, os::Compression compression) {
  const os::Fd memory(::memfd_create("packed", MFD_CLOEXEC));
  os::PackedSink sink(memory.get(), compression, 3);
  sink.write(bytes);
  sink.finish();
  ::lseek(memory.get(), 0, SEEK_SET);
  return os::read_all(memory.get(), 1 << 28);
}

LayoutMaker::LayoutMaker(std::string path) : m_path(std::move(path)) {
  fs::create_directories(m_path + "/blobs/sha256");
  write(m_path + "/oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
}

OciDescriptor LayoutMaker::blob(const std::string& bytes, const std::string& media_type) {
  OciDescriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = sha256_of(bytes);
  descriptor.size = bytes.size();
  write(blob_path(descriptor.digest), bytes);
  return descriptor;
}

void LayoutMaker::layer(const std::string& tar, os::Compression compression) {
  diff_ids.push_back(sha256_of(tar));
  layers.push_back(blob(
      packed(tar, compression), std::string(k_oci_layer_type) + "+" + std::string(os::name_of(compression))));
}

OciDescriptor LayoutMaker::manifest(const Json& process, const std::string& architecture) {
  Json ids = Json::array();
  for (const auto& id : diff_ids) {
    ids.push_back("sha256:" + id);
  }
  OciManifest manifest;
  const auto platform = architecture.empty() ? host_platform().architecture : architecture;
  manifest.config = blob(
      dump_json(
          {{"os", "linux"},
           {"architecture", platform},
           {"config", process},
           {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}}}),
      std::string(k_oci_config_type));
  manifest.layers = layers;
  return blob(to_text(manifest), std::string(k_oci_manifest_type));
}

void LayoutMaker::index(const std::vector<OciDescriptor>& manifests) {
  write(m_path + "/index.json", to_text(OciIndex{manifests}));
}

OciTest::OciTest()
    : m_root(os::TempDir("/tmp", "pyro-oci-test").release()), m_base(m_root + "/state"), m_layers(m_base) {
  m_base.prepare();
}

OciTest::~OciTest() {
  os::IdSpace::current().run([this] {
    os::remove_tree(m_root);
    return Json();
  });
}

OciImportReport OciTest::import(const LayoutMaker& layout, const std::string& tag) {
  const OciLayout opened(layout.path());
  return import_oci_layers(
      m_layers, opened, opened.image(tag), [this](const std::string& line) { m_lines.push_back(line); });
}

std::string OciTest::refusal(const LayoutMaker& layout) {
  const auto before = m_layers.list();
  try {
    import(layout);
  } catch (const Error& error) {
    EXPECT_EQ(m_layers.list(), before);
    EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
    return error.what();
  }
  return "nothing was refused";
}

std::map<std::string, std::string> OciTest::merged(const std::vector<HexDigest>& layers) const {
  return from_json(os::IdSpace::current().run([&] {
    Json result = Json::object();
    add_merged(store::LayeredView(store::Stack::of(m_layers.trees(layers))).root(), "", result);
    return result;
  }));
}

std::map<std::string, std::string> OciTest::tree_of(const std::string& path) {
  return from_json(os::IdSpace::current().run([&] {
    Json result = Json::object();
    std::map<ino_t, std::string> first;
    const auto root = os::open_directory(path);

    struct stat status {};

    ::fstat(root.get(), &status);
    result[""] = hex(describe(root, status));
    os::TreeVisitor visitor;
    visitor.enter = [&](const os::TreeEntry& entry) {
      std::string text;
      if (entry.is_symlink()) {
        text = fmt::format(
            "{:o} {}:{} -> {}", entry.status.st_mode, entry.status.st_uid, entry.status.st_gid,
            os::read_link_at(entry.directory, entry.name));
      } else if (entry.is_directory()) {
        text = describe(os::open_directory_at(entry.directory, entry.name), entry.status);
      } else if (entry.is_file()) {
        text = describe(os::open_at(entry.directory, entry.name, O_RDONLY), entry.status);
        text += " like " + first.try_emplace(entry.status.st_ino, entry.path).first->second;
      } else {
        text = fmt::format("{:o} device {}", entry.status.st_mode, entry.status.st_rdev);
      }
      text += os::is_whiteout(entry.status)
                  ? ""
                  : fmt::format(" {}.{:09}", entry.status.st_mtim.tv_sec, entry.status.st_mtim.tv_nsec);
      result[hex(entry.path)] = hex(text);
      return os::Visit::go_on;
    };
    os::walk_tree(root.get(), visitor);
    return result;
  }));
}

HexDigest OciTest::make_layer(const std::function<void(const std::string&)>& fill) {
  return get_string(
      os::IdSpace::current().run([&] {
        auto staging = m_layers.stage();
        os::make_directories(staging.tree(), 0755);
        fill(staging.tree());
        return to_json(m_layers.publish(std::move(staging), {"step", "test"}));
      }),
      "digest");
}

OciExportReport OciTest::export_to(
    const std::vector<HexDigest>& layers, const std::string& name, os::Compression compression) {
  os::make_directories(m_root + "/" + name);
  OciExport wanted;
  wanted.layers = layers;
  wanted.tag = "test";
  wanted.compression = compression;
  return export_oci_layout(m_layers, wanted, m_root + "/" + name);
}

} // namespace pyro::oci::test
