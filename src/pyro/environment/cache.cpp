#include "cache.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/layout.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::environment {

namespace {

constexpr std::int64_t k_record_version = 1;
constexpr std::string_view k_environment_suffix = ".json";

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
    throw Error::from_errno(errno, fmt::format("remove {}", path));
  }
}

/// A cache: what cannot be read is as if it were not there.
template <typename Result, typename Read>
std::optional<Result> read_or_miss(const std::string& path, const Read& read) {
  try {
    const auto text = os::maybe_read_file(path);
    return text ? std::optional<Result>(read(parse_json(*text, path))) : std::nullopt;
  } catch (const Error& error) {
    log::debug("environment cache: {}", error.what());
    return std::nullopt;
  }
}

std::vector<HexDigest> get_digests(const Json& object, std::string_view key) {
  auto digests = get_strings(object, key);
  for (const auto& digest : digests) {
    if (!store::is_digest(digest)) {
      throw Error(ErrorCode::protocol, "'{}' holds '{}', which is no digest", key, digest);
    }
  }
  return digests;
}

} // namespace

Json to_json(const EnvironmentRecord& record) {
  return {
      {"version", k_record_version},
      {"digest", record.digest},
      {"image", record.image},
      {"kind", record.kind},
      {"layers", record.layers},
      {"host_dirs", record.host_dirs},
      {"created_at", record.created_at},
      {"size_bytes", record.size_bytes},
      {"entry_count", record.entry_count},
      {"details", record.details}};
}

EnvironmentRecord environment_record_from_json(const Json& value) {
  if (get_int(value, "version") != k_record_version) {
    throw Error(ErrorCode::protocol, "an environment record of another version");
  }
  EnvironmentRecord record;
  record.digest = get_string(value, "digest");
  record.image = get_string(value, "image");
  record.kind = get_string(value, "kind");
  record.layers = get_digests(value, "layers");
  record.host_dirs = get_strings(value, "host_dirs");
  record.created_at = get_double(value, "created_at");
  record.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
  record.entry_count = static_cast<std::uint64_t>(get_int(value, "entry_count"));
  record.details = value_at(value, "details");
  for (const auto& name : record.host_dirs) {
    if (!store::is_safe_name(name)) {
      throw Error(ErrorCode::protocol, "'{}' is no top-level directory", name);
    }
  }
  if (record.layers.empty() || !record.details.is_object()) {
    throw Error(ErrorCode::protocol, "an environment record without layers or details");
  }
  return record;
}

EnvironmentCache::EnvironmentCache(std::string directory)
    : m_root(directory.empty() ? store::environment_cache_directory() : std::move(directory)),
      m_directory(m_root + "/environments") {
}

void EnvironmentCache::prepare() const {
  store::prepare_private_directory(m_root);
  for (const auto* part : {"", "/known", "/locks"}) {
    store::prepare_private_directory(m_directory + part);
  }
}

std::string EnvironmentCache::record_path(const HexDigest& digest) const {
  if (!store::is_digest(digest)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no digest of an environment", digest);
  }
  return fmt::format("{}/{}{}", m_directory, digest, k_environment_suffix);
}

std::string EnvironmentCache::known_path(const std::string& subject) const {
  return fmt::format("{}/known/{}{}", m_directory, sha256_of(subject), k_environment_suffix);
}

std::string EnvironmentCache::lock_path(const std::string& image) const {
  return fmt::format("{}/locks/{}", m_directory, sha256_of(image));
}

std::optional<EnvironmentRecord> EnvironmentCache::find(const HexDigest& digest) const {
  auto record = read_or_miss<EnvironmentRecord>(record_path(digest), environment_record_from_json);
  return record && record->digest == digest ? record : std::nullopt;
}

void EnvironmentCache::save(const EnvironmentRecord& record) const {
  os::write_json_atomically(record_path(record.digest), to_json(record));
}

void EnvironmentCache::remove(const HexDigest& digest) const {
  remove_file(record_path(digest));
}

std::vector<EnvironmentRecord> EnvironmentCache::list(std::vector<HexDigest>* damaged) const {
  std::vector<EnvironmentRecord> records;
  for (const auto& name : os::list_directory(m_directory)) {
    const std::filesystem::path path(name);
    const auto digest = path.stem().string();
    if (path.extension() != k_environment_suffix || !store::is_digest(digest)) {
      continue;
    }
    if (auto record = find(digest)) {
      records.push_back(std::move(*record));
    } else if (damaged) {
      damaged->push_back(digest);
    }
  }
  return records;
}

std::optional<HexDigest> EnvironmentCache::known(const std::string& subject, const std::string& stamp) const {
  struct Note {
    std::string subject;
    std::string stamp;
    HexDigest digest;
  };

  const auto note = read_or_miss<Note>(known_path(subject), [](const Json& value) {
    return Note{get_string(value, "subject"), get_string(value, "stamp"), get_string(value, "digest")};
  });
  if (!note || note->subject != subject || note->stamp != stamp || !store::is_digest(note->digest)) {
    return std::nullopt;
  }
  return note->digest;
}

void EnvironmentCache::remember(
    const std::string& subject, const std::string& stamp, const HexDigest& digest) const {
  save_spare(known_path(subject), [&] {
    os::write_json_atomically(
        known_path(subject), {{"subject", subject}, {"stamp", stamp}, {"digest", digest}}, os::Durable::no);
  });
}

void EnvironmentCache::forget(const std::string& subject) const {
  remove_file(known_path(subject));
}

HexDigest EnvironmentCache::digest_of_file(const std::string& path) const {
  return digest_of_file(os::open_regular(path), path);
}

HexDigest EnvironmentCache::digest_of_file(const os::Fd& file, const std::string& path) const {
  struct stat status {};

  if (::fstat(file.get(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("stat {}", path));
  }
  const auto subject = "file " + path;
  const auto stamp = stamp_of(status);
  if (auto digest = known(subject, stamp)) {
    return *digest;
  }
  auto digest = os::digest_of_rest(file.get());

  struct stat after {};

  const bool unchanged = ::fstat(file.get(), &after) == 0 && stamp_of(after) == stamp;
  if (unchanged && !is_too_fresh(status) && os::is_directory(m_directory + "/known")) {
    remember(subject, stamp, digest);
  }
  return digest;
}

std::string stamp_of(const struct stat& status) {
  return fmt::format(
      "{}:{}:{}:{}.{:09}:{}.{:09}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
      status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

bool is_too_fresh(const struct stat& status) {
  constexpr double k_tick = 0.05; // the kernel stamps files with its clock tick, 1 to 10 ms
  return static_cast<double>(status.st_ctim.tv_sec) + static_cast<double>(status.st_ctim.tv_nsec) * 1e-9
         > os::now_epoch() - k_tick;
}

} // namespace pyro::environment
