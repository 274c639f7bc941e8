#include "import.hpp"

#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>

#include <fcntl.h>
#include <filesystem>

namespace pyro::environment {

namespace {

void check_directory(const std::string& path) {
  if (!os::is_directory(path)) {
    throw Error(ErrorCode::input_missing, "the environment's directory {} does not exist or is none", path);
  }
}

bool lies_in(const std::string& path, const std::string& directory) {
  std::error_code ignored; // a path that cannot be resolved is compared as it is
  const auto real = std::filesystem::weakly_canonical(path, ignored);
  const auto parent = std::filesystem::weakly_canonical(directory, ignored);
  const auto relative = real.lexically_relative(parent).string();
  return !relative.empty() && relative != ".." && !relative.starts_with("../");
}

} // namespace

DirectoryStamp stamp_directory(const std::string& path) {
  check_directory(path);
  Sha256 sha;
  DirectoryStamp result;
  const auto root = os::open_found(path, O_RDONLY | O_DIRECTORY);
  const auto add = [&](const std::string& name, const struct stat& status) {
    sha.field(name).field(
        fmt::format("{:o}:{}:{}:{}", status.st_mode, status.st_uid, status.st_gid, stamp_of(status)));
    result.too_fresh = result.too_fresh || is_too_fresh(status);
  };

  struct stat top {};

  if (::fstat(root.get(), &top) == 0) {
    add("", top);
  }
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& entry) {
    add(entry.path, entry.status);
    return os::Visit::go_on;
  };
  os::walk_tree(root.get(), visitor);
  result.stamp = sha.finish();
  return result;
}

Json import_directory(
    const std::string& path, const std::string& tree, const std::vector<std::string>& private_paths) {
  check_directory(path);
  for (const auto& ours : private_paths) {
    if (lies_in(ours, path)) {
      throw Error(
          ErrorCode::invalid_argument, "dir:{} cannot be an environment: pyro's own state is in it", path)
          .with_hint("for this machine's own root use image: host");
    }
  }
  const auto source = os::open_found(path, O_RDONLY | O_DIRECTORY);
  return os::IdSpace::current().run([&]() -> Json {
    os::CopyOptions options;
    options.wanted = [](const os::TreeEntry& entry) {
      return entry.is_directory() || entry.is_file() || entry.is_symlink();
    };
    const auto report = os::copy_tree(source.get(), tree, options);
    complete_root(os::open_directory(tree).get());
    return {{"source", path}, {"entries", report.entries}, {"attributes_lost", report.attributes_lost}};
  });
}

Json import_archive(const std::string& path, const std::string& tree) {
  if (!os::exists(path)) {
    throw Error(ErrorCode::input_missing, "the environment's archive {} does not exist", path);
  }
  os::make_directories(tree, 0755);
  const auto& space = os::IdSpace::current();
  os::ArchivePolicy policy;
  policy.special_files = os::SpecialFiles::leave_out;
  policy.digest = true;
  policy.tree.mode_mask = 07777;
  policy.tree.keep_capabilities = space.kind() == os::IdSpace::Kind::shifted;
  policy.tree.owners = space.kind() == os::IdSpace::Kind::single ? os::Owners::fixed : os::Owners::from_entry;
  const auto archive = os::open_found_file(path);
  return space.run([&]() -> Json {
    const auto root = os::open_directory(tree);
    const auto summary = os::extract_archive_fd(archive.get(), path, root.get(), policy);
    complete_root(root.get());
    return {
        {"source", path},
        {"sha256", summary.digest},
        {"entries", summary.entries},
        {"packed_bytes", summary.packed_bytes},
        {"dropped_xattrs", summary.dropped_xattrs}};
  });
}

} // namespace pyro::environment
