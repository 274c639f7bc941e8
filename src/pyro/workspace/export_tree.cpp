#include "export_tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_writer.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>

namespace pyro::workspace {

namespace {

using store::Found;
using store::LayeredDirectory;

os::EntryMeta meta_of(const Found& found) {
  os::EntryMeta meta;
  meta.mode = found.status.st_mode & 0777;
  meta.mtime = found.status.st_mtim;
  return meta;
}

class Export {
public:
  explicit Export(int target) : m_writer(target, {}) {}

  void directory(const LayeredDirectory& directory, const std::string& path) {
    auto meta = meta_of(directory.self());
    m_writer.add_directory(path, meta);
    for (const auto& name : directory.names()) {
      check_interruption();
      const auto found = directory.lookup(name);
      if (found) {
        ++m_exported.entries;
        entry(*found, directory, name, joined(path, name));
      }
    }
  }

  void file(const Found& found, const std::string& path) {
    const auto source = found.open();
    auto meta = meta_of(found);
    for (const auto& [name, value] : os::extended_attributes_of(source.get())) {
      if (os::may_keep_xattr(name, {})) {
        meta.xattrs.emplace_back(name, value);
      }
    }
    m_writer.add_file(path, meta, [&](int target) {
      m_exported.copied += os::copy_content(source.get(), target) == os::CopyMethod::copied ? 1 : 0;
    });
    m_exported.bytes += static_cast<std::uint64_t>(found.status.st_size);
  }

  void symlink(const Found& found, const std::string& path) {
    m_writer.add_symlink(path, found.link_target(), meta_of(found));
  }

  Exported finish() {
    m_writer.finish();
    return m_exported;
  }

private:
  void entry(
      const Found& found, const LayeredDirectory& parent, const std::string& name, const std::string& path) {
    if (found.is_directory()) {
      if (const auto below = parent.enter(name)) {
        directory(*below, path);
      }
    } else if (found.is_symlink()) {
      symlink(found, path);
    } else if (found.is_file()) {
      file(found, path);
    } else {
      --m_exported.entries;
      ++m_exported.left_out;
    }
  }

  os::TreeWriter m_writer;
  Exported m_exported;
};

/// Where the content is put together, beside the output. Its lock tells what a killed export left from what
/// another one is at.
class Workbench {
public:
  explicit Workbench(const std::string& parent)
      : m_directory(parent, std::string(k_prefix)), m_lock(lock_of(m_directory.path())) {
    os::make_directories(path());
  }

  /// Removed in the end with what is in it.
  std::string path() const { return m_directory.path() + "/tree"; }

  static void remove_abandoned(const std::string& parent) {
    for (const auto& name : os::list_directory(parent)) {
      const auto directory = parent + "/" + name;
      const bool is_one = name.starts_with(k_prefix) && os::exists(directory + std::string(k_lock));
      if (is_one && os::ExclusiveLock::try_lock(directory + std::string(k_lock), "export")) {
        os::remove_tree(directory);
      }
    }
  }

private:
  static constexpr std::string_view k_prefix = ".pyro-export";
  static constexpr std::string_view k_lock = "/pyro-export.lock";

  static os::ExclusiveLock lock_of(const std::string& directory) {
    return {directory + std::string(k_lock), "export", std::chrono::seconds(1)};
  }

  os::TempDir m_directory;
  os::ExclusiveLock m_lock;
};

void rename_into_place(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    const int number = errno;
    if (number == EEXIST) {
      throw Error(ErrorCode::already_exists, "output_path already exists: {}", to);
    }
    throw Error::from_errno(number, "create " + to);
  }
}

} // namespace

Exported export_tree(const store::LayeredView& view, const std::string& path, const std::string& output) {
  const auto found = view.lookup(path);
  if (!found) {
    throw Error(ErrorCode::invalid_argument, "workspace path does not exist: /{}", path);
  }
  if (!found->is_directory() && !found->is_file() && !found->is_symlink()) {
    throw Error(ErrorCode::invalid_argument, "/{} is neither a file nor a directory", path);
  }
  const std::filesystem::path target(output);
  Workbench::remove_abandoned(target.parent_path());
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) {
    throw Error(ErrorCode::already_exists, "output_path already exists: {}", output);
  }
  if (!os::is_directory(target.parent_path())) {
    throw Error(ErrorCode::input_missing, "the directory of output_path does not exist: {}", output);
  }
  const Workbench temporary(target.parent_path());
  const auto staging = os::open_directory(temporary.path());
  Export work(staging.get());
  Exported exported;
  if (found->is_directory()) {
    // A directory of its own below the temporary one, so that the latter can still be removed when it is
    // read-only.
    work.directory(*view.directory(path), "content");
    exported = work.finish();
    exported.artifact_type = "directory";
  } else {
    found->is_symlink() ? work.symlink(*found, "content") : work.file(*found, "content");
    exported = work.finish();
    exported.entries = 1;
    exported.artifact_type = found->is_symlink() ? "symlink" : "file";
  }
  const auto content = temporary.path() + "/content";
  os::crash_point("export.copied");
  if (found->is_directory()) {
    // To move a directory its own ".." changes, for which it must be writable.
    std::filesystem::permissions(
        content, std::filesystem::perms::owner_all, std::filesystem::perm_options::add);
    rename_into_place(content, output);
    std::filesystem::permissions(output, static_cast<std::filesystem::perms>(found->status.st_mode & 0777));
  } else {
    rename_into_place(content, output);
  }
  os::crash_point("export.placed");
  return exported;
}

} // namespace pyro::workspace
