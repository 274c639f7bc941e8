#include "process_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace pyro::backend::qemu {

namespace {

// proc(5), /proc/pid/pagemap
constexpr std::uint64_t k_present = 1ULL << 63;
constexpr std::uint64_t k_swapped = 1ULL << 62;
constexpr std::uint64_t k_of_file = 1ULL << 61;

constexpr std::size_t k_pages_at_once = 64 << 10;
constexpr std::size_t k_bytes_at_once = 1 << 20;

struct Mapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
};

/// One line of /proc/pid/maps, where it is of that file.
std::optional<Mapping> mapping_of(const std::string& line, const std::string& mapped) {
  Mapping mapping;
  int path = 0;
  const int count = std::sscanf(
      line.c_str(), "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*s %*u %n", &mapping.start, &mapping.end,
      &mapping.offset, &path);
  const auto seen = path > 0 ? line.substr(static_cast<std::size_t>(path)) : std::string();
  const bool is_it = count == 3 && (seen == mapped || seen == mapped + " (deleted)");
  return is_it ? std::optional(mapping) : std::nullopt;
}

std::vector<Mapping> mappings_of(pid_t process, const std::string& mapped) {
  const auto text =
      os::read_all(os::open_file(fmt::format("/proc/{}/maps", process), O_RDONLY).get(), 16 << 20);
  std::vector<Mapping> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (const auto mapping = mapping_of(line, mapped)) {
      found.push_back(*mapping);
    }
  }
  if (found.empty()) {
    throw Error(ErrorCode::unavailable, "process {} does not map {}", process, mapped);
  }
  return found;
}

void read_fully(int fd, void* into, std::size_t bytes, std::uint64_t at, const char* what) {
  for (std::size_t done = 0; done < bytes;) {
    const auto count =
        ::pread(fd, static_cast<char*>(into) + done, bytes - done, static_cast<off_t>(at + done));
    if (count <= 0) {
      throw Error::from_errno(count < 0 ? errno : EIO, fmt::format("read {}", what));
    }
    done += static_cast<std::size_t>(count);
  }
}

void write_fully(int fd, const char* bytes, std::size_t length, std::uint64_t at) {
  for (std::size_t done = 0; done < length;) {
    const auto count = ::pwrite(fd, bytes + done, length - done, static_cast<off_t>(at + done));
    if (count < 0) {
      throw Error::from_errno(errno, "write down the memory of a guest");
    }
    done += static_cast<std::size_t>(count);
  }
}

class Copier {
public:
  Copier(pid_t process, int target)
      : m_pages(os::open_file(fmt::format("/proc/{}/pagemap", process), O_RDONLY)),
        m_memory(os::open_file(fmt::format("/proc/{}/mem", process), O_RDONLY)), m_target(target),
        m_buffer(k_bytes_at_once) {}

  std::uint64_t copy(const Mapping& mapping) {
    const auto pages = (mapping.end - mapping.start) / m_page;
    std::vector<std::uint64_t> entries;
    std::uint64_t copied = 0;
    for (std::uint64_t first = 0; first < pages; first += entries.size()) {
      entries.resize(std::min<std::uint64_t>(pages - first, k_pages_at_once));
      const auto address = mapping.start + first * m_page;
      read_fully(
          m_pages.get(), entries.data(), entries.size() * sizeof(entries[0]),
          address / m_page * sizeof(entries[0]), "the page map of a guest");
      copied += copy_runs(entries, address, mapping.offset + first * m_page);
    }
    return copied;
  }

private:
  static bool is_own(std::uint64_t entry) {
    return (entry & k_swapped) != 0 || ((entry & k_present) != 0 && (entry & k_of_file) == 0);
  }

  std::uint64_t
  copy_runs(const std::vector<std::uint64_t>& entries, std::uint64_t address, std::uint64_t offset) {
    std::uint64_t copied = 0;
    for (std::size_t page = 0; page < entries.size();) {
      std::size_t end = page;
      while (end < entries.size() && is_own(entries[end]) && (end - page + 1) * m_page <= k_bytes_at_once) {
        ++end;
      }
      if (end == page) {
        ++page;
        continue;
      }
      const auto bytes = (end - page) * m_page;
      read_fully(m_memory.get(), m_buffer.data(), bytes, address + page * m_page, "the memory of a guest");
      write_fully(m_target, m_buffer.data(), bytes, offset + page * m_page);
      copied += bytes;
      page = end;
    }
    return copied;
  }

  os::Fd m_pages;
  os::Fd m_memory;
  int m_target;
  std::vector<char> m_buffer;
  std::uint64_t m_page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
};

} // namespace

std::uint64_t copy_changed_pages(pid_t process, const std::string& mapped, int target) {
  std::uint64_t copied = 0;
  for (const auto& mapping : mappings_of(process, mapped)) {
    copied += Copier(process, target).copy(mapping);
  }
  return copied;
}

} // namespace pyro::backend::qemu
