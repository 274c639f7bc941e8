#include "cache.hpp"

#include "cached_record.hpp"

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

/// Of which state directory the records beside it are.
constexpr std::string_view k_home_note = "home.json";
constexpr double k_longest_making = 60; // seconds between a place for records and its note

/// Of a place without a note: may it be written at any moment?
bool is_being_made(const std::string& directory) {
  struct stat status {};

  return ::stat(directory.c_str(), &status) == 0
         && os::now_epoch() - static_cast<double>(status.st_mtim.tv_sec) < k_longest_making;
}

} // namespace

EnvironmentCache::EnvironmentCache(std::string directory)
    : m_root(directory.empty() ? store::environment_cache_directory() : std::move(directory)),
      m_directory(m_root + "/environments") {
}

void EnvironmentCache::prepare() const {
  store::prepare_private_directory(m_root);
  for (const auto* part : {"", "/known", "/locks", "/homes"}) {
    store::prepare_private_directory(m_directory + part);
  }
}

std::string EnvironmentCache::known_path(const std::string& subject) const {
  return fmt::format("{}/known/{}{}", m_directory, sha256_of(subject), k_record_suffix);
}

std::string EnvironmentCache::lock_path(const std::string& image) const {
  return fmt::format("{}/locks/{}", m_directory, sha256_of(image));
}

std::string EnvironmentCache::records_of(const std::string& home) const {
  return fmt::format("{}/homes/{}", m_directory, sha256_of(home));
}

void EnvironmentCache::prepare_records_of(const std::string& home) const {
  prepare();
  const auto directory = records_of(home);
  store::prepare_private_directory(directory);
  const auto note = fmt::format("{}/{}", directory, k_home_note);
  if (!os::exists(note)) {
    os::write_json_atomically(note, {{"home", home}});
  }
}

std::vector<std::string> EnvironmentCache::other_homes(const std::string& home) const {
  std::vector<std::string> others;
  const auto homes = m_directory + "/homes";
  for (const auto& name : os::list_directory(homes)) {
    const auto directory = fmt::format("{}/{}", homes, name);
    if (directory == records_of(home)) {
      continue;
    }
    const auto other =
        read_or_miss<std::string>(fmt::format("{}/{}", directory, k_home_note), [](const Json& value) {
          return get_string(value, "home");
        });
    if (other && os::is_directory(*other)) {
      others.push_back(*other);
    } else if (!other && is_being_made(directory)) {
      others.push_back(directory);
    } else {
      os::remove_tree(directory);
    }
  }
  return others;
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
  remove_record(known_path(subject));
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
  return static_cast<double>(status.st_ctim.tv_sec) + static_cast<double>(status.st_ctim.tv_nsec) * 1e-9
         > os::now_epoch() - std::chrono::duration<double>(k_freshness).count();
}

} // namespace pyro::environment
