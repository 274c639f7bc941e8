#include "archive_writer.hpp"

#include "archive_locale.hpp"
#include "tree_copy.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <map>
#include <unistd.h>

// libarchive's pax writer wants this one function from the object file that refers to every other format, and
// with them to XML and crypto libraries that a static link would need for nothing. It is called for types of
// entries that pax cannot hold, which Packing never hands over.
extern "C" void // NOLINTNEXTLINE(bugprone-reserved-identifier)
__archive_write_entry_filetype_unsupported(
    struct archive* archive, struct archive_entry* entry, const char* format);

extern "C" void __archive_write_entry_filetype_unsupported(
    struct archive* archive, struct archive_entry*, const char* format) {
  archive_set_error(archive, EINVAL, "%s: unsupported file type", format);
}

namespace pyro::os {

namespace {

constexpr std::size_t k_buffer_bytes = 256 << 10;

using EntryOwner = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

class Packing {
public:
  Packing(int directory, const ArchiveOptions& options);
  void open(int output);
  void open(PackedSink& sink);
  ArchiveSummary run();

private:
  static la_ssize_t put(archive* a, void* self, const void* block, std::size_t size);
  void add(const TreeEntry& item);
  void add_root_directories();
  EntryOwner entry_for(const std::string& path, const struct stat& status) const;
  void add_attributes(archive_entry* entry, int fd) const;
  void header(archive_entry* entry);
  void mark(const std::string& path, const struct stat& near);
  void content(int fd, const TreeEntry& item);
  std::string member(const std::string& path) const;
  void check(int result);

  int m_directory;
  const ArchiveOptions& m_options;
  PackedSink* m_sink = nullptr;
  std::exception_ptr m_failure; // of the sink
  std::unique_ptr<archive, decltype(&archive_write_free)> m_archive;
  std::map<std::pair<dev_t, ino_t>, std::string> m_links;
  std::vector<char> m_buffer = std::vector<char>(k_buffer_bytes);
  ArchiveSummary m_summary;
};

Packing::Packing(int directory, const ArchiveOptions& options)
    : m_directory(directory), m_options(options), m_archive(archive_write_new(), archive_write_free) {
  if (!m_archive) {
    throw Error(ErrorCode::internal, "cannot start writing an archive");
  }
  struct archive* a = m_archive.get();
  check(archive_write_set_format_pax(a));
  check(archive_write_set_options(a, "xattrheader=SCHILY"));
  check(archive_write_set_bytes_per_block(a, static_cast<int>(k_buffer_bytes)));
  check(archive_write_set_bytes_in_last_block(a, 1));
}

void Packing::open(int output) {
  archive* a = m_archive.get();
  if (m_options.compression == Compression::gzip) {
    check(archive_write_add_filter_gzip(a));
    check(archive_write_set_filter_option(a, "gzip", "timestamp", nullptr));
  } else if (m_options.compression == Compression::zstd) {
    check(archive_write_add_filter_zstd(a));
    check(archive_write_set_filter_option(
        a, "zstd", "compression-level", std::to_string(m_options.zstd_level).c_str()));
  }
  check(archive_write_open_fd(a, output));
}

void Packing::open(PackedSink& sink) {
  m_sink = &sink;
  check(archive_write_open(m_archive.get(), this, nullptr, put, nullptr));
}

la_ssize_t Packing::put(archive* a, void* self, const void* block, std::size_t size) {
  auto& packing = *static_cast<Packing*>(self);
  try {
    packing.m_sink->write({static_cast<const char*>(block), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) { // nothing may be thrown through C
    packing.m_failure = std::current_exception();
    archive_set_error(a, EIO, "cannot be written");
    return -1;
  }
}

void Packing::check(int result) {
  if (result == ARCHIVE_OK) {
    return;
  }
  if (m_failure) {
    std::rethrow_exception(m_failure);
  }
  const char* text = archive_error_string(m_archive.get());
  int number = archive_errno(m_archive.get());
  if (result == ARCHIVE_WARN && text != nullptr && std::string_view(text).starts_with("Can't")) {
    return; // a name that is not UTF-8 is written as it is
  }
  if (number > 0) {
    throw Error::from_errno(number, fmt::format("write archive: {}", text == nullptr ? "" : text));
  }
  throw Error(ErrorCode::io, "write archive: {}", text == nullptr ? "unknown error" : text);
}

std::string Packing::member(const std::string& path) const {
  if (m_options.prefix.empty()) {
    return path;
  }
  return path.empty() ? m_options.prefix : m_options.prefix + "/" + path;
}

EntryOwner Packing::entry_for(const std::string& path, const struct stat& status) const {
  EntryOwner entry(archive_entry_new(), archive_entry_free);
  archive_entry_copy_pathname(entry.get(), member(path).c_str());
  archive_entry_set_mode(entry.get(), status.st_mode);
  auto shifted = [&](std::uint32_t id) {
    return m_options.uid_shift && id >= *m_options.uid_shift ? id - *m_options.uid_shift : id;
  };
  archive_entry_set_uid(entry.get(), shifted(status.st_uid));
  archive_entry_set_gid(entry.get(), shifted(status.st_gid));
  if (m_options.metadata == Metadata::fixed) {
    archive_entry_set_perm(entry.get(), S_ISDIR(status.st_mode) ? 0755 : 0644);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
  }
  if (m_options.max_mtime && status.st_mtim.tv_sec >= *m_options.max_mtime) {
    archive_entry_set_mtime(entry.get(), *m_options.max_mtime, 0);
  } else {
    archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return entry;
}

void Packing::add_attributes(archive_entry* entry, int fd) const {
  for (const auto& [name, value] : extended_attributes_of(fd)) {
    // A plain tree's overlay attributes are forgeries; a layer's are told as whiteouts.
    if (name.starts_with("user.overlay.") || !(name.starts_with("user.") || name == "security.capability")) {
      continue;
    }
    archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
  }
}

void Packing::header(archive_entry* entry) {
  ++m_summary.entries;
  check(archive_write_header(m_archive.get(), entry));
}

void Packing::mark(const std::string& path, const struct stat& near) {
  struct stat status {};

  status.st_mode = S_IFREG | 0644;
  status.st_uid = near.st_uid;
  status.st_gid = near.st_gid;
  status.st_mtim = near.st_mtim;
  EntryOwner entry = entry_for(path, status);
  archive_entry_set_size(entry.get(), 0);
  header(entry.get());
  ++m_summary.whiteouts;
}

void Packing::content(int fd, const TreeEntry& item) {
  auto left = static_cast<std::uint64_t>(item.status.st_size);
  while (left > 0) {
    auto got = read_some(fd, {m_buffer.data(), std::min<std::uint64_t>(left, m_buffer.size())});
    if (!got || *got == 0) {
      throw Error(ErrorCode::stale, "'{}' became shorter while it was packed", item.path);
    }
    for (std::size_t done = 0; done < *got;) {
      auto written = archive_write_data(m_archive.get(), m_buffer.data() + done, *got - done);
      if (written <= 0) {
        check(written < 0 ? static_cast<int>(written) : ARCHIVE_FATAL);
      }
      done += static_cast<std::size_t>(std::max<la_ssize_t>(written, 0));
    }
    left -= *got;
  }
  m_summary.bytes += static_cast<std::uint64_t>(item.status.st_size);
}

void Packing::add(const TreeEntry& item) {
  bool layer = m_options.whiteouts == Whiteouts::overlay;
  if (layer && item.name.starts_with(".wh.")) {
    throw Error(
        ErrorCode::invalid_argument, "'{}' cannot be in a layer archive: .wh. is reserved", item.path);
  }
  if (layer && is_whiteout(item.status)) {
    std::string parent = item.path.substr(0, item.path.size() - item.name.size());
    mark(parent + ".wh." + item.name, item.status);
    return;
  }
  EntryOwner entry = entry_for(item.path, item.status);
  if (S_ISLNK(item.status.st_mode)) {
    archive_entry_set_symlink(entry.get(), read_link_at(item.directory, item.name).c_str());
    header(entry.get());
    ++m_summary.symlinks;
  } else if (item.is_directory()) {
    Fd directory = open_directory_at(item.directory, item.name);
    add_attributes(entry.get(), directory.get());
    header(entry.get());
    ++m_summary.directories;
    if (layer && is_opaque(directory.get())) {
      mark(item.path + "/.wh..wh..opq", item.status);
    }
  } else if (item.is_file()) {
    if (item.status.st_nlink > 1) {
      auto [first, added] = m_links.try_emplace({item.status.st_dev, item.status.st_ino}, member(item.path));
      if (!added) {
        archive_entry_set_hardlink(entry.get(), first->second.c_str());
        archive_entry_set_size(entry.get(), 0);
        header(entry.get());
        ++m_summary.hardlinks;
        return;
      }
    }
    Fd file = open_at(item.directory, item.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    add_attributes(entry.get(), file.get());
    archive_entry_set_size(entry.get(), item.status.st_size);
    header(entry.get());
    content(file.get(), item);
    ++m_summary.files;
  } else if (!S_ISSOCK(item.status.st_mode)) {
    throw Error(ErrorCode::invalid_argument, "'{}' cannot be packed: it is a device or FIFO", item.path);
  }
}

/// The root itself is no member unless it has a name or was asked for: outside of layers "." means different
/// things to different tools.
void Packing::add_root_directories() {
  if (m_options.prefix.empty() && m_options.root == RootMember::leave_out) {
    return;
  }

  struct stat status {};

  if (::fstat(m_directory, &status) != 0) {
    throw Error::from_errno(errno, "look at the directory to pack");
  }
  EntryOwner entry = entry_for("", status);
  if (m_options.prefix.empty()) {
    archive_entry_copy_pathname(entry.get(), "./");
    add_attributes(entry.get(), m_directory);
  }
  header(entry.get());
  ++m_summary.directories;
}

ArchiveSummary Packing::run() {
  add_root_directories();
  if (m_options.whiteouts == Whiteouts::overlay && is_opaque(m_directory)) {
    struct stat status {};

    if (::fstat(m_directory, &status) != 0) {
      throw Error::from_errno(errno, "look at the directory to pack");
    }
    mark(".wh..wh..opq", status);
  }
  walk_tree(
      m_directory, {
                       [&](const TreeEntry& item) {
                         add(item);
                         return Visit::go_on;
                       },
                       {},
                   });
  check(archive_write_close(m_archive.get()));
  m_summary.packed_bytes = static_cast<std::uint64_t>(archive_filter_bytes(m_archive.get(), -1));
  return m_summary;
}

} // namespace

ArchiveSummary write_archive(int directory, int output, const ArchiveOptions& options) {
  Utf8Locale utf8;
  Packing packing(directory, options);
  packing.open(output);
  return packing.run();
}

ArchiveSummary write_archive_to(int directory, PackedSink& sink, const ArchiveOptions& options) {
  Utf8Locale utf8;
  Packing packing(directory, options);
  packing.open(sink);
  return packing.run();
}

} // namespace pyro::os
