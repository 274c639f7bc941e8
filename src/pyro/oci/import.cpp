#include "import.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/packed_stream.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/store/layered_view.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace pyro::oci {

namespace {

bool is_single() {
  return os::IdSpace::current().kind() == os::IdSpace::Kind::single;
}

/// Of a packed layer: what is known of it is found only by who has the very same bytes. Changes when the same
/// archive would be unpacked to another layer: by code, or by ids that do not exist.
Sha256 key_of(const OciLayerId& id) {
  Sha256 key;
  key.field("oci layer 2").field(is_single() ? "single" : "all").field(id.diff_id).field(id.packed);
  return key;
}

std::string key_anywhere(const OciLayerId& id) {
  return key_of(id).finish();
}

/// Of a layer that stands on what is below it.
std::string key_upon(const OciLayerId& id, const std::vector<HexDigest>& below) {
  auto key = key_of(id);
  for (const auto& layer : below) {
    key.field(layer);
  }
  return key.finish();
}

os::EntryMeta meta_of(const os::Fd& fd, const struct stat& status) {
  os::EntryMeta meta;
  meta.mode = status.st_mode & 07777;
  meta.uid = status.st_uid;
  meta.gid = status.st_gid;
  meta.mtime = status.st_mtim;
  for (auto& [name, value] : os::extended_attributes_of(fd.get())) {
    if (!os::is_overlay_bookkeeping(name) && !name.starts_with("user.overlay.")) {
      meta.xattrs.emplace_back(name, value);
    }
  }
  return meta;
}

std::optional<os::EntryMeta> directory_below(const store::LayeredView& view, const std::string& path) {
  if (view.stack().trees.empty()) {
    return std::nullopt;
  }
  const auto directory = view.directory(path);
  if (!directory) {
    const auto found = view.lookup(path);
    if (!found) {
      return std::nullopt;
    }
    throw Error(
        ErrorCode::invalid_argument,
        "a layer has files below /{} but not that directory itself, and below it lies {}", path,
        found->is_symlink() ? "a symbolic link" : "a file");
  }
  const auto self = directory->self();
  return meta_of(*directory->sources().front().fd, self.status);
}

std::optional<os::LowerFile> file_below(const store::LayeredView& view, const std::string& path) {
  const auto found = view.lookup(path);
  if (!found || !found->is_file()) {
    return std::nullopt;
  }
  auto content = found->open();
  auto meta = meta_of(content, found->status);
  return os::LowerFile{std::move(content), std::move(meta)};
}

os::ArchivePolicy policy_on(const store::LayeredView& below) {
  os::ArchivePolicy policy;
  policy.whiteouts = os::Whiteouts::overlay;
  policy.special_files = os::SpecialFiles::leave_out;
  policy.max_ratio = os::UnpackedStream::Limits{}.max_ratio;
  policy.tree.absolute_names = os::AbsoluteNames::below_root;
  policy.tree.mode_mask = 07777;
  policy.tree.keep_capabilities = os::IdSpace::current().kind() == os::IdSpace::Kind::shifted;
  policy.tree.owners = is_single() ? os::Owners::fixed : os::Owners::from_entry;
  policy.tree.lower.directory = [&below](const std::string& path) {
    return directory_below(below, path);
  };
  policy.tree.lower.file = [&below](const std::string& path) {
    return file_below(below, path);
  };
  return policy;
}

/// A layer without an entry for the root takes the root from below, which is rarely any other than this.
bool has_plain_root(const store::LayeredView& below) {
  const auto meta = directory_below(below, "");
  return !meta || (meta->mode == 0755 && meta->uid == 0 && meta->gid == 0 && meta->xattrs.empty());
}

class Import {
public:
  Import(
      const store::LayerStore& layers, const OciLayout& layout, const OciImage& image,
      const OciProgress& progress)
      : m_layers(layers), m_recipes(layers), m_layout(layout), m_image(image), m_progress(progress) {}

  OciImportReport run() {
    for (std::size_t index = 0; index < m_image.manifest.layers.size(); ++index) {
      add(index);
    }
    return m_report;
  }

private:
  void add(std::size_t index) {
    const auto& descriptor = m_image.manifest.layers[index];
    const OciLayerId id{m_image.config.diff_ids[index], descriptor.digest};
    if (const auto known = find(id)) {
      // Naming a layer is not having it: another image's files are given to nobody who cannot show them.
      require_same("blob", os::digest_of_rest(m_layout.open_blob(descriptor).get()), descriptor.digest);
      m_report.layers.push_back(*known);
      return;
    }
    if (m_progress) {
      m_progress(fmt::format(
          "unpacking layer {} of {} ({})", index + 1, m_image.manifest.layers.size(),
          format_bytes(descriptor.size)));
    }
    try {
      const auto blob = m_layout.open_blob(descriptor);
      const auto in_use = store::lock_store_shared(m_layers.base());
      const auto unpacked = os::IdSpace::current().run([&] { return unpack(blob, descriptor, id.diff_id); });
      const auto layer = get_string(unpacked, "digest");
      save(get_bool(unpacked, "anywhere") ? key_anywhere(id) : key_upon(id, m_report.layers), id, layer);
      m_report.layers.push_back(layer);
      ++m_report.imported;
      m_report.dropped_xattrs += static_cast<std::uint64_t>(get_int(unpacked, "dropped_xattrs"));
      m_report.left_out += static_cast<std::uint64_t>(get_int(unpacked, "left_out"));
    } catch (Error& error) {
      throw error.add_context(fmt::format("layer sha256:{}", descriptor.digest.substr(0, 12)));
    }
  }

  std::optional<HexDigest> find(const OciLayerId& id) {
    for (const auto& key : {key_upon(id, m_report.layers), key_anywhere(id)}) {
      const auto recipe = m_recipes.find(key);
      if (recipe && recipe->layers.size() == 1 && m_layers.find(recipe->layers.front())) {
        if (key == key_anywhere(id) && !plain_root_below()) {
          continue;
        }
        return recipe->layers.front();
      }
    }
    return std::nullopt;
  }

  bool plain_root_below() const {
    return os::IdSpace::current()
        .run([&] {
          return Json(has_plain_root(store::LayeredView(store::Stack::of(m_layers.trees(m_report.layers)))));
        })
        .get<bool>();
  }

  void save(const std::string& key, const OciLayerId& id, const HexDigest& layer) const {
    store::RecipeRecord recipe;
    recipe.key = key;
    recipe.layers = {layer};
    recipe.address = std::string(k_oci_layer_address) + id.diff_id;
    m_recipes.save(std::move(recipe));
  }

  /// With the ids of the inside.
  Json unpack(const os::Fd& blob, const OciDescriptor& descriptor, const HexDigest& diff_id) const {
    const store::LayeredView below(store::Stack::of(m_layers.trees(m_report.layers)));
    auto staging = m_layers.stage();
    os::make_directories(staging.tree(), 0755);
    const auto name = "sha256:" + descriptor.digest.substr(0, 12);
    os::UnpackedStream stream(blob.get(), name);
    const auto summary =
        os::extract_archive_from(stream, name, os::open_directory(staging.tree()).get(), policy_on(below));
    const auto digests = stream.finish();
    require_same("blob", digests.packed, descriptor.digest);
    require_same("DiffID", digests.unpacked, diff_id);
    const bool anywhere = !summary.stands_on_lower && has_plain_root(below);
    const auto manifest = m_layers.publish(std::move(staging), {"image", "sha256:" + diff_id.substr(0, 12)});
    return {
        {"digest", manifest.digest},
        {"anywhere", anywhere},
        {"dropped_xattrs", summary.dropped_xattrs},
        {"left_out", summary.left_out}};
  }

  static void require_same(std::string_view what, const HexDigest& is, const HexDigest& should) {
    if (is != should) {
      throw Error(
          ErrorCode::invalid_argument, "the {} is sha256:{} but should be sha256:{}", what, is.substr(0, 12),
          should.substr(0, 12))
          .with_hint("the image was damaged or changed: copy it again");
    }
  }

  const store::LayerStore& m_layers;
  store::RecipeCache m_recipes;
  const OciLayout& m_layout;
  const OciImage& m_image;
  const OciProgress& m_progress;
  OciImportReport m_report;
};

} // namespace

OciImportReport import_oci_layers(
    const store::LayerStore& layers, const OciLayout& layout, const OciImage& image,
    const OciProgress& progress) {
  return Import(layers, layout, image, progress).run();
}

void remember_oci_layer(const store::LayerStore& layers, const OciLayerId& id, const HexDigest& layer) {
  const store::RecipeCache recipes(layers);
  store::RecipeRecord recipe;
  recipe.key = key_anywhere(id);
  if (recipes.find(recipe.key)) {
    return;
  }
  recipe.layers = {layer};
  recipe.address = std::string(k_oci_layer_address) + id.diff_id;
  recipes.save(std::move(recipe));
}

} // namespace pyro::oci
