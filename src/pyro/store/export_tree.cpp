#include "export_tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_writer.hpp>

#include <tuple>

namespace pyro::store {

namespace {

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

Found found_at(const LayeredView& view, const std::string& path) {
  auto found = view.lookup(path);
  if (!found) {
    throw Error(ErrorCode::bad_state, "workspace path does not exist: /{}", path);
  }
  if (!found->is_directory() && !found->is_file() && !found->is_symlink()) {
    throw Error(ErrorCode::invalid_argument, "/{} is neither a file nor a directory", path);
  }
  return std::move(*found);
}

} // namespace

Exported copy_out(const LayeredView& view, const std::string& path, int directory, const std::string& name) {
  const auto found = found_at(view, path);
  Export work(directory);
  Exported exported;
  if (found.is_directory()) {
    work.directory(*view.directory(path), name);
    exported = work.finish();
    exported.artifact_type = "directory";
    return exported;
  }
  found.is_symlink() ? work.symlink(found, name) : work.file(found, name);
  exported = work.finish();
  exported.entries = 1;
  exported.artifact_type = found.is_symlink() ? "symlink" : "file";
  return exported;
}

Exported export_tree(
    const LayeredView& view, const std::string& path, const std::string& output, const std::string& notes) {
  constexpr const char* k_name = "content";
  std::ignore = found_at(view, path); // before anything is made for it
  ExportArea area(output, notes);
  auto exported = copy_out(view, path, area.directory(), k_name);
  os::crash_point("export.copied");
  exported.placed = area.place(k_name);
  os::crash_point("export.placed");
  return exported;
}

} // namespace pyro::store
