#include "stat_cache.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <fcntl.h>
#include <type_traits>
#include <utility>

namespace pyro::seed {

namespace {

constexpr std::string_view k_cache_magic = "PYROSTAT";
constexpr std::uint32_t k_stat_version = 1;
constexpr std::size_t k_max_bytes = 8ULL << 30;

struct CacheHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t directory_count;
  std::uint64_t name_count;
  std::uint64_t pool_size;
  std::uint64_t check_sum; // of everything behind the header
};

static_assert(std::is_trivially_copyable_v<CachedName> && sizeof(CachedName) == 96);
static_assert(std::is_trivially_copyable_v<CachedDirectory> && sizeof(CachedDirectory) == 88);
static_assert(sizeof(CacheHeader) == 40);

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

} // namespace

std::optional<StatCache> StatCache::open(const std::string& path) {
  auto file = os::maybe_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

  struct stat status {};

  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(CacheHeader) || size > k_max_bytes) {
    return std::nullopt;
  }
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file->get(), 0);
  if (map == MAP_FAILED) {
    return std::nullopt;
  }
  StatCache cache; // owns the map from here on
  cache.m_map = static_cast<const char*>(map);
  cache.m_size = size;
  CacheHeader header;
  std::memcpy(&header, cache.m_map, sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != k_cache_magic
      || header.version != k_stat_version) {
    return std::nullopt;
  }
  auto left = size - sizeof header;
  if (header.directory_count > left / sizeof(CachedDirectory) || header.name_count > left / sizeof(CachedName)
      || header.directory_count * sizeof(CachedDirectory) + header.name_count * sizeof(CachedName)
                 + header.pool_size
             != left) {
    return std::nullopt;
  }
  if (check_sum_of({cache.m_map + sizeof header, left}) != header.check_sum) {
    return std::nullopt;
  }
  const char* at = cache.m_map + sizeof header;
  cache.m_directories = {reinterpret_cast<const CachedDirectory*>(at), header.directory_count};
  at += cache.m_directories.size_bytes();
  cache.m_names = {reinterpret_cast<const CachedName*>(at), header.name_count};
  at += cache.m_names.size_bytes();
  cache.m_pool = {at, header.pool_size};
  return cache;
}

StatCache::~StatCache() {
  if (m_map != nullptr) {
    ::munmap(const_cast<char*>(m_map), m_size);
  }
}

StatCache::StatCache(StatCache&& other) noexcept
    : m_map(std::exchange(other.m_map, nullptr)), m_size(other.m_size), m_directories(other.m_directories),
      m_names(other.m_names), m_pool(other.m_pool) {
}

StatCache& StatCache::operator=(StatCache&& other) noexcept {
  std::swap(m_map, other.m_map);
  std::swap(m_size, other.m_size);
  m_directories = other.m_directories;
  m_names = other.m_names;
  m_pool = other.m_pool;
  return *this;
}

const CachedDirectory* StatCache::directory(std::uint32_t index) const {
  return index < m_directories.size() ? &m_directories[index] : nullptr;
}

std::span<const CachedName> StatCache::names(const CachedDirectory& directory) const {
  if (directory.first > m_names.size() || directory.count > m_names.size() - directory.first) {
    return {};
  }
  return m_names.subspan(directory.first, directory.count);
}

std::string_view StatCache::text(std::uint32_t offset, std::uint32_t size) const {
  if (offset > m_pool.size() || size > m_pool.size() - offset) {
    return {};
  }
  return m_pool.substr(offset, size);
}

std::uint32_t StatCacheBuilder::add_directory(const CachedDirectory& directory) {
  m_directories.push_back(directory);
  return static_cast<std::uint32_t>(m_directories.size() - 1);
}

std::uint32_t StatCacheBuilder::add_name(CachedName name, std::string_view text) {
  name.name_offset = add_text(text);
  name.name_size = static_cast<std::uint32_t>(text.size());
  m_names.push_back(name);
  return static_cast<std::uint32_t>(m_names.size() - 1);
}

std::uint32_t StatCacheBuilder::add_text(std::string_view text) {
  auto offset = static_cast<std::uint32_t>(m_pool.size());
  m_pool += text;
  m_pool += '\0'; // so that names can be given to system calls where they are
  return offset;
}

void StatCacheBuilder::reserve(std::size_t directories, std::size_t names) {
  m_directories.reserve(directories);
  m_names.reserve(names);
  m_pool.reserve(names * 24);
}

void StatCacheBuilder::save(const std::string& path) const {
  if (m_pool.size() >= k_no_index || m_names.size() >= k_no_index) {
    return; // more than the format can say; the next scan reads everything again
  }
  CacheHeader header{};
  std::memcpy(header.magic, k_cache_magic.data(), sizeof header.magic);
  header.version = k_stat_version;
  header.directory_count = static_cast<std::uint32_t>(m_directories.size());
  header.name_count = m_names.size();
  header.pool_size = m_pool.size();
  std::string body;
  body.reserve(bytes_of(m_directories).size() + bytes_of(m_names).size() + m_pool.size());
  body += bytes_of(m_directories);
  body += bytes_of(m_names);
  body += m_pool;
  header.check_sum = check_sum_of(body);
  os::AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&header), sizeof header});
  file.write(body);
  file.commit(os::Durable::no);
}

} // namespace pyro::seed
