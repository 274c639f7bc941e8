#include "cpio_writer.hpp"

#include "archive_locale.hpp"

#include <pyro/base/error.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <memory>

namespace pyro::os {

namespace {

void check(struct archive* archive, long result) {
  if (result >= ARCHIVE_OK) {
    return;
  }
  const char* text = archive_error_string(archive);
  const int number = archive_errno(archive);
  const auto what = fmt::format("write cpio archive: {}", text == nullptr ? "unknown error" : text);
  throw number > 0 ? Error::from_errno(number, what) : Error(ErrorCode::io, "{}", what);
}

} // namespace

void write_cpio(int output, const std::vector<CpioEntry>& entries) {
  const Utf8Locale utf8;
  const std::unique_ptr<archive, decltype(&archive_write_free)> owner(
      archive_write_new(), archive_write_free);
  if (!owner) {
    throw Error(ErrorCode::internal, "cannot start writing an archive");
  }
  struct archive* archive = owner.get();
  check(archive, archive_write_set_format_cpio_newc(archive));
  check(archive, archive_write_set_bytes_in_last_block(archive, 1));
  check(archive, archive_write_open_fd(archive, output));
  std::int64_t inode = 0;
  for (const auto& item : entries) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(
        archive_entry_new(), archive_entry_free);
    archive_entry_copy_pathname(entry.get(), item.path.c_str());
    archive_entry_set_mode(entry.get(), item.mode);
    archive_entry_set_nlink(entry.get(), 1);
    archive_entry_set_ino64(entry.get(), ++inode);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_size(entry.get(), 0);
    if (S_ISREG(item.mode)) {
      archive_entry_set_size(entry.get(), static_cast<std::int64_t>(item.content.size()));
    } else if (S_ISLNK(item.mode)) {
      archive_entry_copy_symlink(entry.get(), item.content.c_str());
    } else if (S_ISCHR(item.mode)) {
      archive_entry_set_rdevmajor(entry.get(), item.device_major);
      archive_entry_set_rdevminor(entry.get(), item.device_minor);
    }
    check(archive, archive_write_header(archive, entry.get()));
    if (S_ISREG(item.mode) && !item.content.empty()) {
      check(archive, archive_write_data(archive, item.content.data(), item.content.size()));
    }
  }
  check(archive, archive_write_close(archive));
}

} // namespace pyro::os
