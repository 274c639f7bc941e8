#include "lock_file.hpp"

#include "own_files.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/environment/image.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/regular_file.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <regex>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_largest_lock = 1U << 20U;
constexpr std::size_t k_most_images = 1000;
constexpr int k_lock_version = 1;

std::string path_in(const std::string& directory) {
  return directory + "/" + std::string(k_lock_name);
}

Error invalid(const std::string& directory, const std::string& what) {
  return Error(ErrorCode::invalid_file, "{}: {}", path_in(directory), what)
      .with_hint("`pyro lock --upgrade` writes it anew");
}

/// The text of a regular file of ours to read, whatever lies there. nullopt: nothing does.
std::optional<std::string> text_in(const std::string& directory) {
  const auto checkout = os::maybe_open(directory, O_DIRECTORY | O_RDONLY);

  struct stat status {};

  const std::string name(k_lock_name);
  if (!checkout || ::fstatat(checkout->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    throw invalid(directory, fmt::format("it is {}, no regular file", os::name_of_type(status.st_mode)));
  }
  const auto file = os::maybe_open_regular_beneath(checkout->get(), name);
  if (!file) {
    return std::nullopt;
  }
  if (static_cast<std::size_t>(status.st_size) > k_largest_lock) {
    throw invalid(directory, "it is larger than 1 MiB");
  }
  return os::read_all(file->get(), k_largest_lock);
}

LockFile parse(const std::string& text, const std::string& directory) {
  static const std::regex s_digest("sha256:[0-9a-f]{64}");
  const auto document = maybe_parse_json(text);
  if (!document || !document->is_object()) {
    throw invalid(directory, "it is no JSON object");
  }
  if (document->value("version", Json()) != Json(k_lock_version)) {
    throw invalid(directory, fmt::format("its version is not {}", k_lock_version));
  }
  const auto images = document->value("images", Json());
  if (!images.is_object() || images.size() > k_most_images) {
    throw invalid(directory, "'images' is no object of names and digests");
  }
  LockFile lock;
  for (const auto& [name, digest] : images.items()) {
    if (!digest.is_string() || !std::regex_match(digest.get<std::string>(), s_digest)) {
      throw invalid(directory, fmt::format("'{}' has no digest", name));
    }
    lock.images[name] = digest.get<std::string>();
  }
  return lock;
}

} // namespace

std::optional<LockFile> read_lock(const std::string& directory) {
  const auto text = text_in(directory);
  return text ? std::optional(parse(*text, directory)) : std::nullopt;
}

std::string lock_text(const LockFile& lock) {
  return dump_json({{"version", k_lock_version}, {"images", lock.images}});
}

void write_lock(const std::string& directory, const LockFile& lock) {
  os::write_file_atomically_in(
      os::open_file(directory, O_DIRECTORY | O_RDONLY), std::string(k_lock_name), lock_text(lock), 0644,
      path_in(directory));
}

std::string exact_name(const std::string& name, const std::string& digest) {
  return fmt::format("{}@{}", name.substr(0, name.rfind(':')), digest);
}

LockedImage locked_image(const std::string& image, const std::string& directory) {
  LockedImage locked;
  locked.image = image;
  try {
    const auto name = environment::lock_name(image, directory);
    locked.name = name.name;
    locked.by_digest = name.by_digest;
  } catch (const Error&) {
    return locked; // no image at all: who looks for it says so
  }
  try {
    const auto text = text_in(directory);
    if (!text) {
      return locked;
    }
    locked.has_lock = true;
    locked.digest = sha256_of(*text);
    const auto lock = parse(*text, directory);
    const auto found = lock.images.find(locked.name);
    if (found != lock.images.end()) {
      (locked.by_digest ? locked.image : locked.wanted) =
          locked.by_digest ? exact_name(locked.name, found->second) : found->second;
    } else if (!locked.name.empty()) {
      locked.problem = Error(
                           ErrorCode::invalid_file, "{} has no {}: it does not fit this file",
                           path_in(directory), locked.name)
                           .with_hint("`pyro lock` looks it up and adds it; commit both");
    }
  } catch (const Error& error) {
    locked.problem = error;
  }
  return locked;
}

void require_locked(
    const LockedImage& image, const std::string& directory, const std::optional<std::string>& here) {
  if (image.wanted.empty() || !here || *here == image.wanted) {
    return;
  }
  const bool is_built =
      environment::parse_image(image.image, directory).kind == environment::ImageKind::debian;
  throw Error(
      ErrorCode::invalid_file, "{} does not fit: {} is {} there, and {} here", path_in(directory), image.name,
      image.wanted, *here)
      .with_hint(
          is_built ? fmt::format(
              "where the lock is newer, `pyro env pull {} --refresh` builds it of today's "
              "packages; else `pyro lock --upgrade` does, and locks them",
              image.image)
                   : "get the one that was locked, or `pyro lock --upgrade` takes this one; commit both");
}

} // namespace pyro::workspace
