#include "host_images.hpp"

#include "image_builder.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/environment/host.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_walk.hpp>

#include <algorithm>

namespace pyro::guest_images {

PublicPart public_part(const std::string& directory, const std::vector<std::string>& masked) {
  constexpr std::uint64_t k_block = 4096;
  PublicPart part;
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& entry) {
    const auto mode = entry.status.st_mode;
    const bool is_public = entry.is_directory() ? (mode & 0005) == 0005 : (mode & 0004) != 0;
    const bool is_masked = std::find(masked.begin(), masked.end(), entry.path) != masked.end();
    if (is_masked || (!entry.is_symlink() && !is_public)) {
      part.excluded.push_back(entry.path);
      return entry.is_directory() ? os::Visit::skip : os::Visit::go_on;
    }
    if (entry.is_file()) {
      part.size_bytes += (static_cast<std::uint64_t>(entry.status.st_size) + k_block - 1) / k_block * k_block;
    }
    return os::Visit::go_on;
  };
  os::walk_tree(directory, visitor);
  return part;
}

std::string HostImages::image_of(const std::string& directory) const {
  const auto host = environment::observe_host({m_base.root(), m_cache.directory()});
  if (std::find(host.directories.begin(), host.directories.end(), directory) == host.directories.end()) {
    throw Error(
        ErrorCode::invalid_argument, "/{} is none of this machine's directories of programs", directory);
  }
  const auto key = Sha256()
                       .field("host image 2")
                       .field(environment::host_fingerprint(host, m_cache))
                       .field(directory)
                       .finish();
  auto path = fmt::format("{}/host-{}-{}.erofs", m_base.images(), key, directory);
  if (os::exists(path)) {
    return path;
  }
  const auto tree = "/" + directory;
  std::vector<std::string> masked;
  for (const auto& hidden : host.masked) {
    if (hidden.starts_with(directory + "/")) {
      masked.push_back(hidden.substr(directory.size() + 1));
    }
  }
  auto part = public_part(tree, masked);
  if (m_progress) {
    m_progress(
        "note", fmt::format(
                    "making an image of {} ({}) for virtual machines; again when its packages change", tree,
                    format_bytes(part.size_bytes)));
  }
  build_image(
      m_base,
      {.what = tree,
       .tree = tree,
       .key = key,
       .expected_bytes = part.size_bytes,
       .excluded = std::move(part.excluded),
       .owned_by_root = host.id_space != os::IdSpace::Kind::shifted,
       .public_only = true},
      path, m_progress);
  return path;
}

} // namespace pyro::guest_images
