#include "packed_stream.hpp"

#include "fd.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/units.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <vector>

namespace pyro::os {

namespace {

constexpr std::size_t k_block = 256 << 10;

std::string text_of(archive* handle) {
  const char* message = archive_error_string(handle);
  return message == nullptr ? "unknown error" : message;
}

} // namespace

std::string_view name_of(Compression compression) {
  switch (compression) {
  case Compression::gzip:
    return "gzip";
  case Compression::zstd:
    return "zstd";
  case Compression::none:
    break;
  }
  return "none";
}

class UnpackedStream::Unpacking {
public:
  Unpacking(int fd, std::string name, const Limits& limits)
      : m_fd(fd), m_name(std::move(name)), m_limits(limits), m_buffer(k_block),
        m_archive(archive_read_new(), archive_read_free) {
    if (!m_archive) {
      throw Error(ErrorCode::internal, "cannot start reading {}", m_name);
    }
    archive* a = m_archive.get();
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    check(archive_read_open(a, this, nullptr, read, nullptr));
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(a, &entry);
    m_at_end = result == ARCHIVE_EOF;
    if (!m_at_end) {
      check(result);
    }
    if (archive_filter_count(a) > 2) { // the last one is "none"
      throw Error(ErrorCode::invalid_argument, "{} is compressed more than once", m_name);
    }
  }

  std::string_view next() {
    while (!m_at_end) {
      const void* block = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int result = archive_read_data_block(m_archive.get(), &block, &size, &offset);
      m_at_end = result == ARCHIVE_EOF;
      if (!m_at_end) {
        check(result);
      }
      if (size > 0) {
        const std::string_view bytes(static_cast<const char*>(block), size);
        count(bytes);
        return bytes;
      }
    }
    return {};
  }

  std::uint64_t packed_bytes() const { return m_packed_bytes; }

  Digests finish() {
    while (!next().empty()) {
    }
    while (read_block() > 0) { // behind the end of what was packed
    }
    return {m_packed.finish(), m_unpacked.finish()};
  }

private:
  static la_ssize_t read(archive* a, void* self, const void** block) {
    auto& stream = *static_cast<Unpacking*>(self);
    try {
      const auto size = stream.read_block();
      *block = stream.m_buffer.data();
      return static_cast<la_ssize_t>(size);
    } catch (...) { // nothing may be thrown through C
      stream.m_failure = std::current_exception();
      archive_set_error(a, EIO, "cannot be read");
      return -1;
    }
  }

  std::size_t read_block() {
    check_interruption();
    const auto size = read_some(m_fd, m_buffer).value_or(0);
    m_packed.update(std::string_view(m_buffer.data(), size));
    m_packed_bytes += size;
    if (m_packed_bytes > m_limits.max_packed_bytes) {
      over(format_bytes(m_limits.max_packed_bytes));
    }
    return size;
  }

  void count(std::string_view bytes) {
    m_unpacked.update(bytes);
    m_unpacked_bytes += bytes.size();
    if (m_unpacked_bytes > m_limits.max_unpacked_bytes) {
      over(format_bytes(m_limits.max_unpacked_bytes) + " unpacked");
    }
    if (m_unpacked_bytes > m_limits.ratio_free_bytes
        && m_unpacked_bytes / std::max<std::uint64_t>(m_packed_bytes, 1) > m_limits.max_ratio) {
      over(fmt::format("{} unpacked bytes to one packed", m_limits.max_ratio));
    }
  }

  void check(int result) const {
    if (result == ARCHIVE_OK) {
      return;
    }
    if (m_failure) {
      std::rethrow_exception(m_failure);
    }
    throw Error(ErrorCode::invalid_argument, "{} is damaged: {}", m_name, text_of(m_archive.get()));
  }

  [[noreturn]] void over(const std::string& limit) const {
    throw Error(ErrorCode::invalid_argument, "{} exceeds the limit of {}", m_name, limit);
  }

  int m_fd;
  std::string m_name;
  Limits m_limits;
  std::vector<char> m_buffer;
  Sha256 m_packed;
  Sha256 m_unpacked;
  std::uint64_t m_packed_bytes = 0;
  std::uint64_t m_unpacked_bytes = 0;
  std::exception_ptr m_failure;
  bool m_at_end = false;
  std::unique_ptr<archive, decltype(&archive_read_free)> m_archive;
};

UnpackedStream::UnpackedStream(int fd, std::string name) : UnpackedStream(fd, std::move(name), Limits{}) {
}

UnpackedStream::UnpackedStream(int fd, std::string name, const Limits& limits)
    : m_unpacking(std::make_unique<Unpacking>(fd, std::move(name), limits)) {
}

UnpackedStream::~UnpackedStream() = default;

std::string_view UnpackedStream::next() {
  return m_unpacking->next();
}

std::uint64_t UnpackedStream::packed_bytes() const {
  return m_unpacking->packed_bytes();
}

UnpackedStream::Digests UnpackedStream::finish() {
  return m_unpacking->finish();
}

class PackedSink::Packing {
public:
  Packing(int fd, Compression compression, int level)
      : m_fd(fd), m_archive(archive_write_new(), archive_write_free) {
    if (!m_archive) {
      throw Error(ErrorCode::internal, "cannot start compressing");
    }
    archive* a = m_archive.get();
    check(archive_write_set_format_raw(a));
    if (compression == Compression::gzip) {
      check(archive_write_add_filter_gzip(a));
      check(archive_write_set_filter_option(a, "gzip", "timestamp", nullptr));
    } else if (compression == Compression::zstd) {
      check(archive_write_add_filter_zstd(a));
    }
    if (compression != Compression::none) {
      check(archive_write_set_filter_option(a, nullptr, "compression-level", std::to_string(level).c_str()));
    }
    check(archive_write_set_bytes_per_block(a, static_cast<int>(k_block)));
    check(archive_write_set_bytes_in_last_block(a, 1));
    check(archive_write_open(a, this, nullptr, put, nullptr));
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(
        archive_entry_new(), archive_entry_free);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    check(archive_write_header(a, entry.get()));
  }

  void write(std::string_view bytes) {
    check_interruption();
    m_unpacked.update(bytes);
    while (!bytes.empty()) {
      const auto written = archive_write_data(m_archive.get(), bytes.data(), bytes.size());
      if (written <= 0) {
        check(written < 0 ? static_cast<int>(written) : ARCHIVE_FATAL);
      }
      bytes.remove_prefix(static_cast<std::size_t>(std::max<la_ssize_t>(written, 1)));
    }
  }

  Result finish() {
    check(archive_write_close(m_archive.get()));
    return {m_packed.finish(), m_unpacked.finish(), m_packed_bytes};
  }

private:
  static la_ssize_t put(archive* a, void* self, const void* block, std::size_t size) {
    auto& sink = *static_cast<Packing*>(self);
    try {
      const std::string_view bytes(static_cast<const char*>(block), size);
      write_all(sink.m_fd, bytes);
      sink.m_packed.update(bytes);
      sink.m_packed_bytes += size;
      return static_cast<la_ssize_t>(size);
    } catch (...) { // nothing may be thrown through C
      sink.m_failure = std::current_exception();
      archive_set_error(a, EIO, "cannot be written");
      return -1;
    }
  }

  void check(int result) const {
    if (result == ARCHIVE_OK) {
      return;
    }
    if (m_failure) {
      std::rethrow_exception(m_failure);
    }
    throw Error(ErrorCode::io, "compress: {}", text_of(m_archive.get()));
  }

  int m_fd;
  Sha256 m_packed;
  Sha256 m_unpacked;
  std::uint64_t m_packed_bytes = 0;
  std::exception_ptr m_failure;
  std::unique_ptr<archive, decltype(&archive_write_free)> m_archive;
};

PackedSink::PackedSink(int fd, Compression compression, int level)
    : m_packing(std::make_unique<Packing>(fd, compression, level)) {
}

PackedSink::~PackedSink() = default;

void PackedSink::write(std::string_view bytes) {
  m_packing->write(bytes);
}

PackedSink::Result PackedSink::finish() {
  return m_packing->finish();
}

} // namespace pyro::os
