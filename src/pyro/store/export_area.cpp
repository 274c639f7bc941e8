#include "export_area.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/random.hpp>

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr std::string_view k_area_prefix = ".pyro-export-";
constexpr std::string_view k_note_suffix = ".json";
constexpr std::string_view k_lock_name = "lock";

std::string directory_of(const std::string& output) {
  return std::filesystem::path(output).parent_path().string();
}

std::string name_of_output(const std::string& output) {
  return std::filesystem::path(output).filename().string();
}

/// Held only while notes are written or swept, so a note without a living owner is one of the dead.
os::ExclusiveLock lock_notes(const std::string& notes) {
  os::make_directories(notes);
  return {fmt::format("{}/{}", notes, k_lock_name), "export", std::chrono::seconds(30)};
}

struct stat status_of(int fd, const std::string& what) {
  struct stat status {};

  if (::fstat(fd, &status) != 0) {
    throw Error::from_errno(errno, "look at " + what);
  }
  return status;
}

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

/// Does the name stand for this one (itself, not what a symlink leads to)?
bool is_at(int parent, const std::string& name, const FileIdentity& wanted) {
  struct stat status {};

  return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && identity_of(status) == wanted;
}

/// Empties the directory and takes its name away, if that is still its own.
void remove_directory(int parent, const std::string& name, int directory) {
  const auto identity = identity_of(status_of(directory, name));
  std::ignore = ::fchmod(directory, 0700); // may be read-only; where it is not ours the removal tells
  os::remove_content(directory);
  if (is_at(parent, name, identity) && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0
      && errno != ENOENT) {
    throw Error::from_errno(errno, "remove " + name);
  }
}

Json note_of(
    const std::string& parent, const std::string& name, const std::optional<FileIdentity>& identity) {
  Json note{{"parent", parent}, {"name", name}};
  if (identity) {
    note["device"] = static_cast<std::int64_t>(identity->device);
    note["inode"] = static_cast<std::int64_t>(identity->inode);
  }
  return note;
}

/// What one note tells of is removed; true: the note has served.
bool remove_noted(const Json& note) {
  const auto name = get_string(note, "name");
  if (!name.starts_with(k_area_prefix) || name.find('/') != std::string::npos) {
    return true;
  }
  const auto parent = os::maybe_open(get_string(note, "parent"), O_RDONLY | O_DIRECTORY);
  const auto directory =
      parent ? os::maybe_open_beneath(parent->get(), name, k_directory_flags) : std::optional<os::Fd>();
  if (!directory) {
    return true;
  }
  const auto status = status_of(directory->get(), name);
  if (!note.contains("inode")) { // killed before it could tell: it has put nothing there yet
    const bool is_ours = status.st_uid == ::geteuid();
    return !is_ours || ::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) == 0 || errno != EACCES;
  }
  const FileIdentity noted{
      static_cast<std::uint64_t>(get_int(note, "device")),
      static_cast<std::uint64_t>(get_int(note, "inode"))};
  if (identity_of(status) != noted || status.st_uid != ::geteuid()) {
    return true; // not what we made
  }
  if (::flock(directory->get(), LOCK_EX | LOCK_NB) != 0) {
    return false; // somebody is at it
  }
  remove_directory(parent->get(), name, directory->get());
  return true;
}

} // namespace

ExportArea::ExportArea(const std::string& output, const std::string& notes)
    : m_output(output), m_name(std::string(k_area_prefix) + os::random_hex(16)),
      m_note(notes + "/" + m_name.substr(k_area_prefix.size()) + std::string(k_note_suffix)) {
  const auto parent = directory_of(output);
  auto opened = os::maybe_open(parent, O_RDONLY | O_DIRECTORY);
  if (!opened) {
    throw Error(ErrorCode::input_missing, "the directory of output_path does not exist: {}", output);
  }
  m_parent = std::move(*opened);

  struct stat there {};

  if (::fstatat(m_parent.get(), name_of_output(output).c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    throw Error(ErrorCode::already_exists, "output_path already exists: {}", output);
  }
  const auto lock = lock_notes(notes);
  os::write_json_atomically(m_note, note_of(parent, m_name, std::nullopt), os::Durable::no);
  os::crash_point("export.noted");
  if (::mkdirat(m_parent.get(), m_name.c_str(), 0700) != 0) {
    const int number = errno;
    ::unlink(m_note.c_str());
    throw Error::from_errno(number, fmt::format("make a directory in {}", parent));
  }
  os::crash_point("export.made");
  m_area = os::open_at(m_parent.get(), m_name, k_directory_flags);
  const auto status = status_of(m_area.get(), m_name);
  if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0
      || ::flock(m_area.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(ErrorCode::permission, "somebody else changes {} at this moment", parent);
  }
  os::write_json_atomically(m_note, note_of(parent, m_name, identity_of(status)), os::Durable::no);
}

ExportArea::~ExportArea() {
  try {
    remove_directory(m_parent.get(), m_name, m_area.get());
    ::unlink(m_note.c_str());
  } catch (const Error&) {
    // The note stays, and a later command tries again; a destructor cannot tell anybody.
  }
}

std::string ExportArea::path() const {
  return fmt::format("/proc/self/fd/{}", m_area.get());
}

FileIdentity ExportArea::place(const std::string& name) {
  struct stat status {};

  if (::fstatat(m_area.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw Error::from_errno(errno, "look at what is exported");
  }
  os::Fd directory;
  if (S_ISDIR(status.st_mode)) {
    // To move a directory its own ".." changes, for which it must be writable.
    directory = os::open_at(m_area.get(), name, k_directory_flags);
    if (::fchmod(directory.get(), (status.st_mode & 0777) | S_IRWXU) != 0) {
      throw Error::from_errno(errno, "make what is exported writable");
    }
  }
  if (::renameat2(
          m_area.get(), name.c_str(), m_parent.get(), name_of_output(m_output).c_str(), RENAME_NOREPLACE)
      != 0) {
    const int number = errno;
    if (number == EEXIST) {
      throw Error(ErrorCode::already_exists, "output_path already exists: {}", m_output);
    }
    throw Error::from_errno(number, "create " + m_output);
  }
  if (directory && ::fchmod(directory.get(), status.st_mode & 0777) != 0) {
    throw Error::from_errno(errno, "give the mode of " + m_output);
  }
  return identity_of(status);
}

void remove_abandoned_exports(const std::string& notes) {
  const auto is_note = [](const std::string& name) {
    return !name.starts_with('.') && name.ends_with(k_note_suffix);
  };
  const auto there = os::list_directory(notes);
  if (std::all_of(there.begin(), there.end(), [](const auto& name) { return name == k_lock_name; })) {
    return; // as nearly always: nothing is opened or written
  }
  const auto lock = lock_notes(notes);
  for (const auto& name : os::list_directory(notes)) {
    if (!is_note(name)) {
      continue;
    }
    const auto path = notes + "/" + name;
    try {
      const auto text = os::maybe_read_file(path, 64 << 10);
      if (!text || remove_noted(parse_json(*text, path))) {
        ::unlink(path.c_str());
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::protocol) {
        ::unlink(path.c_str()); // nothing that can be read
      }                         // else it lies where we cannot reach it now: another time
    }
  }
  os::remove_old_temporaries(notes);
}

void remove_placed(const std::string& output, const FileIdentity& placed) {
  const auto parent = os::maybe_open(directory_of(output), O_RDONLY | O_DIRECTORY);
  const auto name = name_of_output(output);
  if (!parent || !is_at(parent->get(), name, placed)) {
    return;
  }

  struct stat status {};

  if (::fstatat(parent->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode)) {
    if (::unlinkat(parent->get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      throw Error::from_errno(errno, "remove " + output);
    }
    return;
  }
  const auto directory = os::maybe_open_beneath(parent->get(), name, k_directory_flags);
  if (directory && identity_of(status_of(directory->get(), output)) == placed) {
    remove_directory(parent->get(), name, directory->get());
  }
}

} // namespace pyro::store
