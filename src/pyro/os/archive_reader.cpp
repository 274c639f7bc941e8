#include "archive_reader.hpp"

#include "archive_locale.hpp"
#include "regular_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/units.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <vector>

namespace pyro::os {

namespace {

constexpr std::string_view k_whiteout_prefix = ".wh.";
constexpr std::string_view k_opaque_name = ".wh..wh..opq";
constexpr std::string_view k_reserved_prefix = ".wh..wh.";

class Extraction {
public:
  Extraction(const std::string& name, int directory, const ArchivePolicy& policy);
  void open(int archive);
  void open(ByteSource& source);
  ArchiveSummary run();

private:
  static la_ssize_t read(archive* a, void* self, const void** block);
  std::string_view next_block();
  std::string_view next_of_file();
  std::uint64_t packed_bytes() const;
  bool next();
  void require_end_mark();
  void member(archive_entry* entry);
  bool whiteout(const std::string& path);
  void file(archive_entry* entry, const std::string& path);
  void content(archive_entry* entry, const std::string& path, int fd);
  EntryMeta meta_of(archive_entry* entry) const;
  std::string text() const;
  void check_ratio();
  [[noreturn]] void malformed(std::string_view what) const;
  [[noreturn]] void over(std::string_view limit, std::string_view value) const;

  std::string m_name;
  const ArchivePolicy& m_policy;
  TreeWriter m_writer;
  ByteSource* m_source = nullptr;
  int m_file = -1;
  std::vector<char> m_buffer;
  Sha256 m_digest;
  std::uint64_t m_stream_bytes = 0; // of the source
  bool m_completed = false;         // its end was reached
  std::exception_ptr m_failure;     // of the source
  std::unique_ptr<archive, decltype(&archive_read_free)> m_archive;
  archive_entry* m_entry = nullptr;
  std::uint64_t m_data_bytes = 0;
  ArchiveSummary m_summary;
};

Extraction::Extraction(const std::string& name, int directory, const ArchivePolicy& policy)
    : m_name(name), m_policy(policy), m_writer(directory, policy.tree),
      m_archive(archive_read_new(), archive_read_free) {
  if (!m_archive) {
    throw Error(ErrorCode::internal, "cannot start reading archive {}", name);
  }
}

void Extraction::malformed(std::string_view what) const {
  if (m_failure) {
    std::rethrow_exception(m_failure);
  }
  throw Error(ErrorCode::invalid_file, "archive {} is damaged: {}", m_name, what)
      .with_hint("check it with: tar -tvf " + m_name);
}

void Extraction::over(std::string_view limit, std::string_view value) const {
  throw Error(ErrorCode::invalid_file, "archive {} exceeds the limit {} of {}", m_name, limit, value);
}

std::string Extraction::text() const {
  const char* message = archive_error_string(m_archive.get());
  return message == nullptr ? "unknown error" : message;
}

void Extraction::open(int archive) {
  struct archive* a = m_archive.get();
  archive_read_support_format_tar(a);
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_bzip2(a);
  archive_read_support_filter_xz(a);
  archive_read_support_filter_zstd(a);
  constexpr std::size_t k_block = 256 << 10;
  m_file = archive;
  m_buffer.resize(k_block);
  if (archive_read_open(a, this, nullptr, read, nullptr) != ARCHIVE_OK) {
    malformed(text());
  }
  if (archive_filter_count(a) > 2) { // the last one is "none"
    over("max_compressions", "1");
  }
}

void Extraction::open(ByteSource& source) {
  m_source = &source;
  archive_read_support_format_tar(m_archive.get());
  if (archive_read_open(m_archive.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) {
    malformed(text());
  }
}

std::string_view Extraction::next_of_file() {
  const auto count = read_some(m_file, m_buffer).value_or(0);
  const std::string_view bytes(m_buffer.data(), count);
  if (m_policy.digest) {
    m_digest.update(bytes);
  }
  return bytes;
}

/// `umoci insert` leaves out the filling of the last block, which comes here.
std::string_view Extraction::next_block() {
  constexpr std::size_t k_block = 512;
  static const std::string s_filling(k_block, '\0');
  const auto bytes = m_source->next();
  m_stream_bytes += bytes.size();
  if (!bytes.empty() || std::exchange(m_completed, true)) {
    return bytes;
  }
  return std::string_view(s_filling).substr(0, (k_block - m_stream_bytes % k_block) % k_block);
}

la_ssize_t Extraction::read(archive* a, void* self, const void** block) {
  auto& extraction = *static_cast<Extraction*>(self);
  try {
    const auto bytes = extraction.m_file >= 0 ? extraction.next_of_file() : extraction.next_block();
    *block = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) { // nothing may be thrown through C
    extraction.m_failure = std::current_exception();
    archive_set_error(a, EIO, "cannot be read");
    return -1;
  }
}

std::uint64_t Extraction::packed_bytes() const {
  return m_source != nullptr ? m_source->packed_bytes()
                             : static_cast<std::uint64_t>(archive_filter_bytes(m_archive.get(), -1));
}

bool Extraction::next() {
  int result = archive_read_next_header(m_archive.get(), &m_entry);
  if (result == ARCHIVE_EOF) {
    require_end_mark();
    return false;
  }
  // Names that are not UTF-8 are kept as they are; any other complaint means a header nobody should guess at.
  bool name_only = result == ARCHIVE_WARN && text().find("can't be converted") != std::string::npos;
  if (result != ARCHIVE_OK && !name_only) {
    malformed(text());
  }
  return true;
}

void Extraction::require_end_mark() {
  if (m_source != nullptr) {
    return; // who hands over a stream knows its digest; `umoci insert` leaves out the mark
  }
  // The end of a tar is a block of zeros; libarchive is content with the end of the file.
  auto end = archive_read_header_position(m_archive.get());
  if (archive_filter_bytes(m_archive.get(), 0) <= end) {
    malformed("it ends before its end mark, so something is missing");
  }
}

ArchiveSummary Extraction::run() {
  while (next()) {
    if (++m_summary.entries > m_policy.max_entries) {
      over("max_entries", std::to_string(m_policy.max_entries));
    }
    check_interruption();
    member(m_entry);
    check_ratio();
  }
  m_writer.finish();
  m_summary.packed_bytes = packed_bytes();
  m_summary.dropped_xattrs = m_writer.dropped_xattrs();
  m_summary.stands_on_lower = m_writer.stands_on_lower();
  if (m_policy.digest && m_file >= 0) {
    while (!next_of_file().empty()) { // what lies behind the end mark is part of the file
      check_interruption();
    }
    m_summary.digest = m_digest.finish();
  }
  return m_summary;
}

void Extraction::check_ratio() {
  auto packed = std::max<std::uint64_t>(packed_bytes(), 1);
  if (m_data_bytes > m_policy.ratio_free_bytes && m_data_bytes / packed > m_policy.max_ratio) {
    over("max_ratio", fmt::format("{} to 1", m_policy.max_ratio));
  }
}

EntryMeta Extraction::meta_of(archive_entry* entry) const {
  EntryMeta meta;
  meta.mode = archive_entry_perm(entry);
  auto id_of = [&](la_int64_t id, std::string_view what) {
    if (id < 0 || id >= 0xffffffff) {
      malformed(fmt::format("a {} is out of range", what));
    }
    return static_cast<std::uint32_t>(id);
  };
  if (m_policy.tree.owners == Owners::from_entry) {
    meta.uid = id_of(archive_entry_uid(entry), "user id");
    meta.gid = id_of(archive_entry_gid(entry), "group id");
  }
  if (archive_entry_mtime_is_set(entry)) {
    long nanoseconds = archive_entry_mtime_nsec(entry);
    meta.mtime = timespec{archive_entry_mtime(entry), std::clamp(nanoseconds, 0L, 999'999'999L)};
  }
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name != nullptr) {
      meta.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
  }
  return meta;
}

void Extraction::member(archive_entry* entry) {
  const char* raw = archive_entry_pathname(entry);
  if (raw == nullptr) {
    malformed("a member has no usable name");
  }
  std::string path = normal_member_path(raw, m_policy.tree);
  auto type = archive_entry_filetype(entry);
  const char* target = archive_entry_hardlink(entry);
  if (path.empty() && (type != AE_IFDIR || target != nullptr)) {
    throw_unsafe_member(raw, "names the root but is no directory");
  }
  if (m_policy.whiteouts == Whiteouts::overlay && whiteout(path)) {
    return;
  }
  if (target != nullptr) {
    if (archive_entry_size(entry) > 0) {
      throw_unsafe_member(path, "a hard link that carries data");
    }
    m_writer.add_hardlink(path, normal_member_path(target, m_policy.tree));
    ++m_summary.hardlinks;
    return;
  }
  switch (type) {
  case AE_IFDIR:
    m_writer.add_directory(path, meta_of(entry));
    ++m_summary.directories;
    return;
  case AE_IFREG:
    file(entry, path);
    return;
  case AE_IFLNK: {
    const char* link = archive_entry_symlink(entry);
    m_writer.add_symlink(path, link == nullptr ? "" : link, meta_of(entry));
    ++m_summary.symlinks;
    return;
  }
  default:
    if (m_policy.special_files == SpecialFiles::refuse) {
      throw_unsafe_member(path, "a device, FIFO or socket");
    }
    ++m_summary.left_out;
  }
}

bool Extraction::whiteout(const std::string& path) {
  auto slash = path.rfind('/');
  std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (parent.starts_with(k_whiteout_prefix) || parent.find("/.wh.") != std::string::npos) {
    throw_unsafe_member(path, "below a whiteout");
  }
  if (!name.starts_with(k_whiteout_prefix)) {
    return false;
  }
  if (name == k_opaque_name) {
    m_writer.make_opaque(parent);
  } else if (!name.starts_with(k_reserved_prefix)) {
    std::string hidden = name.substr(k_whiteout_prefix.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      throw_unsafe_member(path, "a whiteout of nothing");
    }
    m_writer.add_whiteout(parent.empty() ? hidden : parent + "/" + hidden);
  }
  ++m_summary.whiteouts;
  return true;
}

void Extraction::file(archive_entry* entry, const std::string& path) {
  auto size = archive_entry_size(entry);
  if (size < 0) {
    malformed("a member has a negative size");
  }
  if (static_cast<std::uint64_t>(size) > m_policy.max_file_bytes) {
    over("max_file_bytes", format_bytes(m_policy.max_file_bytes));
  }
  m_summary.bytes += static_cast<std::uint64_t>(size);
  if (m_summary.bytes > m_policy.max_total_bytes) {
    over("max_total_bytes", format_bytes(m_policy.max_total_bytes));
  }
  m_writer.add_file(path, meta_of(entry), [&](int fd) { content(entry, path, fd); });
  ++m_summary.files;
}

void Extraction::content(archive_entry* entry, const std::string& path, int fd) {
  auto size = archive_entry_size(entry);
  la_int64_t end = 0;
  for (;;) {
    const void* block = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    int result = archive_read_data_block(m_archive.get(), &block, &length, &offset);
    if (result == ARCHIVE_EOF) {
      break;
    }
    if (result != ARCHIVE_OK) {
      malformed(text());
    }
    if (offset < end || offset > size || static_cast<std::uint64_t>(size - offset) < length) {
      malformed("a member's data lies outside of it");
    }
    if (offset > end && ::lseek(fd, offset, SEEK_SET) < 0) {
      throw Error::from_errno(errno, fmt::format("seek in '{}'", path));
    }
    write_all(fd, {static_cast<const char*>(block), length});
    end = offset + static_cast<la_int64_t>(length);
    m_data_bytes += length;
    check_ratio();
  }

  struct stat status {};

  if (::fstat(fd, &status) != 0) {
    throw Error::from_errno(errno, fmt::format("look at '{}'", path));
  }
  if (status.st_size < size) { // ends with a hole
    if (end < size && archive_entry_sparse_count(entry) == 0) {
      malformed("a member is shorter than it says");
    }
    if (::ftruncate(fd, size) != 0) {
      throw Error::from_errno(errno, fmt::format("extend '{}'", path));
    }
  }
}

} // namespace

bool has_archive_name(std::string_view path) {
  constexpr std::array<std::string_view, 8> k_endings{".tar",    ".tar.gz", ".tgz",     ".tar.zst",
                                                      ".tar.xz", ".txz",    ".tar.bz2", ".tbz2"};
  return std::any_of(k_endings.begin(), k_endings.end(), [&](std::string_view ending) {
    return path.size() > ending.size() && path.ends_with(ending);
  });
}

ArchiveSummary
extract_archive_fd(int archive, const std::string& name, int directory, const ArchivePolicy& policy) {
  Utf8Locale utf8;
  Extraction extraction(name, directory, policy);
  extraction.open(archive);
  return extraction.run();
}

ArchiveSummary extract_archive_from(
    ByteSource& source, const std::string& name, int directory, const ArchivePolicy& policy) {
  Utf8Locale utf8;
  Extraction extraction(name, directory, policy);
  extraction.open(source);
  return extraction.run();
}

ArchiveSummary extract_archive(const std::string& path, int directory, const ArchivePolicy& policy) {
  const Fd archive = open_regular(path);
  return extract_archive_fd(archive.get(), path, directory, policy);
}

} // namespace pyro::os
