#include "archive.hpp"

#include "stat.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/inside.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <vector>

namespace pyro::seed {

namespace {

constexpr std::size_t k_archive_buffer = 1 << 20;
constexpr int k_cache_version = 1;

os::Fd open_archive(const std::string& path) {
  if (!os::exists(path)) {
    throw Error(ErrorCode::input_missing, "seed archive {} does not exist", path);
  }
  return os::open_found_file(path);
}

Json to_json(const StatKey& key) {
  return Json::array({key.device, key.inode, key.size, key.mtime_ns, key.ctime_ns});
}

/// Whatever is wrong with a cache, the answer is to read the archive.
std::optional<HexDigest>
cached_digest(const std::string& cache, const std::string& path, const StatKey& key) {
  auto text = cache.empty() ? std::nullopt : os::maybe_read_file(cache, 1 << 20);
  if (!text) {
    return std::nullopt;
  }
  const auto value = maybe_parse_json(*text).value_or(Json());
  if (!value.is_object() || value.value("version", Json()) != k_cache_version
      || value.value("path", Json()) != path || value.value("stat", Json()) != to_json(key)) {
    return std::nullopt;
  }
  auto digest = value.value("digest", Json());
  if (!digest.is_string() || digest.get<std::string>().size() != 64) {
    return std::nullopt;
  }
  return digest.get<std::string>();
}

HexDigest digest_of_file(int file, const std::string& path) {
  std::vector<char> buffer(k_archive_buffer);
  Sha256 sum;
  auto before = seed_stat_of(file, path);
  while (auto got = os::read_some(file, buffer)) {
    if (*got == 0) {
      break;
    }
    sum.update(std::string_view(buffer.data(), *got));
  }
  if (seed_stat_of(file, path).key != before.key) {
    throw Error(ErrorCode::stale, "seed changed while it was read: {}", path);
  }
  return sum.finish();
}

} // namespace

ArchiveSeed scan_archive_seed(const std::string& path, const std::string& stat_cache) {
  if (!os::has_archive_name(path)) {
    throw Error(ErrorCode::invalid_argument, "seed {} is neither a directory nor named like an archive", path)
        .with_hint("archives end in .tar, .tar.gz, .tgz, .tar.zst, .tar.xz or .tar.bz2");
  }
  ArchiveSeed seed;
  seed.path = std::filesystem::absolute(path).lexically_normal().string();
  auto start = file_clock_ns();
  os::Fd file = open_archive(seed.path);
  auto key = seed_stat_of(file.get(), seed.path).key;
  seed.size = key.size;
  if (auto known = cached_digest(stat_cache, seed.path, key)) {
    seed.tree_digest = *known;
    return seed;
  }
  seed.tree_digest = digest_of_file(file.get(), seed.path);
  if (!stat_cache.empty() && is_settled(key, start)) {
    Json value = {
        {"version", k_cache_version},
        {"path", seed.path},
        {"stat", to_json(key)},
        {"digest", seed.tree_digest}};
    save_spare(stat_cache, [&] { os::write_json_atomically(stat_cache, value, os::Durable::no); });
  }
  return seed;
}

os::ArchiveSummary unpack_archive_seed(
    const ArchiveSeed& seed, const std::string& destination, const SeedPlacement& to,
    os::ArchivePolicy policy) {
  std::string root = to.to.empty() ? destination : destination + "/" + to.to;
  os::make_directories(root, 0755);
  os::Fd directory = os::open_file(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (to.uid || to.gid) {
    policy.tree.owners = os::Owners::fixed;
    policy.tree.uid = to.uid.value_or(::geteuid());
    policy.tree.gid = to.gid.value_or(::getegid());
    if (::fchown(directory.get(), policy.tree.uid, policy.tree.gid) != 0) {
      throw Error::from_errno(errno, "change owner of " + root);
    }
  }
  os::Fd archive = open_archive(seed.path);
  policy.digest = true; // of what is unpacked, so nobody can change it for something else in between
  auto summary = os::extract_archive_fd(archive.get(), seed.path, directory.get(), policy);
  if (summary.digest != seed.tree_digest) {
    throw Error(ErrorCode::stale, "seed changed while it was copied: {}", seed.path);
  }
  return summary;
}

} // namespace pyro::seed
