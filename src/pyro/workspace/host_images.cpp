#include "host_images.hpp"

#include "environment_host.hpp"
#include "image_builder.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_walk.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

PublicPart public_part(
    const std::string& root, const std::vector<std::string>& directories,
    const std::vector<std::string>& masked) {
  constexpr std::uint64_t k_block = 4096;
  PublicPart part;
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& entry) {
    const auto mode = entry.status.st_mode;
    const bool is_elsewhere = entry.path == entry.name && !contains(directories, entry.name);
    const bool is_public =
        entry.is_symlink() || (entry.is_directory() ? (mode & 0005) == 0005 : (mode & 0004) != 0);
    if (is_elsewhere || !is_public || contains(masked, entry.path)) {
      part.excluded.push_back(entry.path);
      return entry.is_directory() ? os::Visit::skip : os::Visit::go_on;
    }
    if (entry.is_file()) {
      part.size_bytes += (static_cast<std::uint64_t>(entry.status.st_size) + k_block - 1) / k_block * k_block;
    }
    return os::Visit::go_on;
  };
  os::walk_tree(root, visitor);
  return part;
}

std::string HostImages::image_of(const std::vector<std::string>& directories) const {
  const auto host = observe_host({m_base.root(), m_cache.directory()});
  Sha256 sha;
  sha.field("host image 1").field(host_fingerprint(host, m_cache));
  for (const auto& directory : directories) {
    if (!contains(host.directories, directory)) {
      throw Error(
          ErrorCode::invalid_argument, "/{} is none of this machine's directories of programs", directory);
    }
    sha.field(directory);
  }
  const auto key = sha.finish();
  auto path = fmt::format("{}/host-{}.erofs", m_base.images(), key);
  if (os::exists(path)) {
    return path;
  }
  auto part = public_part("/", directories, host.masked);
  if (m_progress) {
    m_progress(
        "note", fmt::format(
                    "copying this machine's programs ({}) for virtual machines; again when packages change",
                    format_bytes(part.size_bytes)));
  }
  build_image(
      m_base,
      {.what = "this machine's programs",
       .tree = "/",
       .key = key,
       .expected_bytes = part.size_bytes,
       .excluded = std::move(part.excluded),
       .owned_by_root = host.id_space != os::IdSpace::Kind::shifted},
      path, m_progress);
  return path;
}

} // namespace pyro::workspace
