#include "spool.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace pyro::seed {

namespace {

constexpr std::size_t k_spool_buffer = 256 << 10;

/// mkstemp(3) rather than O_TMPFILE, which not every file system has.
os::Fd nameless_file(const std::string& directory) {
  auto path = directory + "/seed-XXXXXX";
  os::Fd file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) {
    throw Error::from_errno(errno, "make a file in " + directory);
  }
  ::unlink(path.c_str());
  return file;
}

} // namespace

ContentSpool::Span ContentSpool::keep(int file, std::uint64_t size, Sha256& sum) {
  const std::lock_guard lock(m_mutex);
  if (!m_file) {
    m_file = nameless_file(m_directory);
  }
  std::vector<char> buffer(k_spool_buffer);
  Span span{m_end, 0};
  while (span.size < size) {
    const auto part = std::min<std::uint64_t>(buffer.size(), size - span.size);
    const auto got = os::read_some(file, {buffer.data(), static_cast<std::size_t>(part)});
    if (!got || *got == 0) {
      break;
    }
    const std::string_view bytes(buffer.data(), *got);
    sum.update(bytes);
    os::write_all(m_file.get(), bytes);
    span.size += *got;
  }
  m_end += span.size;
  return span;
}

void ContentSpool::copy(const Span& span, int target) const {
  std::vector<char> buffer(k_spool_buffer);
  for (std::uint64_t done = 0; done < span.size;) {
    const auto part = std::min<std::uint64_t>(buffer.size(), span.size - done);
    const auto got = ::pread(
        m_file.get(), buffer.data(), static_cast<std::size_t>(part), static_cast<off_t>(span.offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      throw Error::from_errno(got < 0 ? errno : EIO, "read what was kept of a seed");
    }
    os::write_all(target, {buffer.data(), static_cast<std::size_t>(got)});
    done += static_cast<std::uint64_t>(got);
  }
}

} // namespace pyro::seed
