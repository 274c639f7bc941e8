// OCI layouts made by hand, as tools and attackers would make them, and a store to bring them into.
#pragma once

#include "../os/archive_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/export.hpp>
#include <pyro/oci/import.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/packed_stream.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace pyro::oci::test {

using os::testing::end_mark;
using os::testing::Member;
using os::testing::pax_header;
using os::testing::pax_record;
using os::testing::tar_member;

/// Writes a layout blob by blob.
class LayoutMaker {
public:
  explicit LayoutMaker(std::string path);

  /// Any bytes as a blob.
  OciDescriptor blob(const std::string& bytes, const std::string& media_type);
  /// A tar as the next layer.
  void layer(const std::string& tar, os::Compression compression = os::Compression::gzip);
  /// Manifest, configuration and index of the layers so far. `process` is JSON for "config".
  OciDescriptor manifest(const Json& process = Json::object(), const std::string& architecture = "");
  void index(const std::vector<OciDescriptor>& manifests);

  /// All of it, one image.
  void finish(const Json& process = Json::object()) { index({manifest(process)}); }

  const std::string& path() const { return m_path; }

  std::string blob_path(const HexDigest& digest) const { return m_path + "/blobs/sha256/" + digest; }

  std::vector<OciDescriptor> layers;
  std::vector<HexDigest> diff_ids;

private:
  std::string m_path;
};

std::string packed(const std::string& bytes, os::Compression compression);

/// Removes what it made with the ids of the inside.
class OciTest : public ::testing::Test {
protected:
  OciTest();
  ~OciTest() override;

  std::string operator/(const std::string& name) const { return m_root + "/" + name; }

  OciImportReport import(const LayoutMaker& layout, const std::string& tag = "");
  /// The message and context of the refusal; nothing may have become a layer.
  std::string refusal(const LayoutMaker& layout);
  /// What the merged layers show: path → "type mode uid:gid content|target xattrs".
  std::map<std::string, std::string> merged(const std::vector<HexDigest>& layers) const;

  /// The same of one layer's own tree, whiteouts and opaque marks as such, with hard link groups.
  std::map<std::string, std::string> tree(const HexDigest& layer) const {
    return tree_of(m_layers.tree(layer));
  }

  static std::map<std::string, std::string> tree_of(const std::string& path);
  /// Makes a layer of what `fill` puts into a directory, with the ids of the inside.
  HexDigest make_layer(const std::function<void(const std::string& tree)>& fill);
  OciExportReport export_to(
      const std::vector<HexDigest>& layers, const std::string& name,
      os::Compression compression = os::Compression::gzip);

  std::string m_root;
  store::Base m_base;
  store::LayerStore m_layers;
  std::vector<std::string> m_lines;
};

} // namespace pyro::oci::test
