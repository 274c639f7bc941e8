// Content of files that do not hold still between their digest and their copy: what was read for the one is
// kept for the other.
#pragma once

#include <pyro/base/sha256.hpp>
#include <pyro/os/fd.hpp>

#include <cstdint>
#include <mutex>
#include <string>

namespace pyro::seed {

class ContentSpool {
public:
  struct Span {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };

  /// Its file, which has no name, is made in `directory` when it is first needed.
  explicit ContentSpool(std::string directory) : m_directory(std::move(directory)) {}

  /// Keeps what `file` holds, at most `size` bytes: fewer where it became shorter.
  Span keep(int file, std::uint64_t size, Sha256& sum);
  /// Writes kept content to a file.
  void copy(const Span& span, int target) const;

private:
  std::string m_directory;
  std::mutex m_mutex;
  os::Fd m_file;
  std::uint64_t m_end = 0;
};

} // namespace pyro::seed
