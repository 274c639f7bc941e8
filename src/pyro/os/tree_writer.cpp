#include "tree_writer.hpp"

#include "tree_copy.hpp"

#include <pyro/base/error.hpp>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_max_name = 255;
constexpr int k_write_below = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/// For messages: control bytes of a hostile name must not reach a terminal.
std::string printable(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, 300)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return text.size() > 300 ? result + "..." : result;
}

[[noreturn]] void throw_traversal(std::string_view path) {
  throw Error(
      ErrorCode::invalid_file, "archive member would traverse through a symlinked path: '{}'",
      printable(path));
}

/// -1 with errno set on failure.
int open_beneath(int directory, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (;;) {
    auto fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) {
      return fd;
    }
  }
}

bool is_whiteout_status(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

std::string_view parent_path(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

Error failure(int error_number, std::string_view attempt, std::string_view path) {
  return Error::from_errno(error_number, fmt::format("{} '{}'", attempt, printable(path)));
}

} // namespace

void throw_unsafe_member(std::string_view path, std::string_view reason) {
  throw Error(ErrorCode::invalid_file, "unsafe archive member path: '{}' ({})", printable(path), reason);
}

std::string normal_member_path(std::string_view path, const TreePolicy& policy) {
  if (path.empty()) {
    throw_unsafe_member(path, "empty");
  }
  if (path.front() == '/' && policy.absolute_names == AbsoluteNames::refuse) {
    throw_unsafe_member(path, "absolute");
  }
  if (path.find('\0') != std::string_view::npos) {
    throw_unsafe_member(path, "contains NUL");
  }
  std::string result;
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find('/', begin), path.size());
    auto name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == "..") {
      throw_unsafe_member(path, "contains '..'");
    }
    if (name.size() > k_max_name) {
      throw_unsafe_member(path, "a name is longer than 255 bytes");
    }
    if (++depth > policy.max_depth) {
      throw_unsafe_member(path, fmt::format("deeper than the limit of {} directories", policy.max_depth));
    }
    if (!result.empty()) {
      result += '/';
    }
    result += name;
  }
  if (result.size() > policy.max_path) {
    throw_unsafe_member(path, fmt::format("longer than the limit of {} bytes", policy.max_path));
  }
  return result;
}

bool may_keep_xattr(std::string_view name, const TreePolicy& policy) {
  if (name == "security.capability") {
    return policy.keep_capabilities;
  }
  return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

TreeWriter::TreeWriter(int directory, TreePolicy policy) : m_root(directory), m_policy(std::move(policy)) {
}

TreeWriter::Place TreeWriter::place_of(const std::string& path) {
  if (path.empty() || normal_member_path(path, m_policy) != path) {
    throw_unsafe_member(path, "not a plain relative path");
  }
  std::string parent(parent_path(path));
  if (!m_parent_known || parent != m_parent_path) {
    m_parent_known = false;
    m_parent = open_or_make(parent, path);
    m_parent_path = parent;
    m_parent_known = true;
  }
  return {m_parent.get(), parent.empty() ? path : path.substr(parent.size() + 1)};
}

Fd TreeWriter::open_or_make(const std::string& directory, const std::string& whole) {
  Fd found(open_beneath(m_root, directory.empty() ? "." : directory.c_str(), k_write_below));
  if (found) {
    return found;
  }
  if (errno == ELOOP) {
    throw_traversal(whole);
  }
  if (directory.empty() || (errno != ENOENT && errno != ENOTDIR)) {
    throw failure(errno, "open directory", directory);
  }
  Fd parent = open_or_make(std::string(parent_path(directory)), whole);
  std::string name = directory.substr(directory.rfind('/') + 1); // npos + 1 is 0
  make_directory_at(parent.get(), name, directory);
  Fd made(open_beneath(parent.get(), name.c_str(), k_write_below));
  if (!made) {
    throw failure(errno, "open directory", directory);
  }
  EntryMeta meta;
  meta.mode = 0755;
  if (m_policy.lower.directory && m_directories.find(directory) == m_directories.end()) {
    m_implicit.insert(directory);
    meta = m_policy.lower.directory(directory).value_or(meta);
  }
  m_directories.try_emplace(directory, meta);
  return made;
}

bool TreeWriter::copy_up(const std::string& path) {
  auto below = m_policy.lower.file ? m_policy.lower.file(path) : std::nullopt;
  if (!below) {
    return false;
  }
  add_file(path, below->meta, [&](int fd) { copy_content(below->content.get(), fd); });
  m_stands_on_lower = true;
  return true;
}

void TreeWriter::make_directory_at(int parent, const std::string& name, const std::string& path) {
  if (::mkdirat(parent, name.c_str(), 0700) == 0) {
    return;
  }
  if (errno != EEXIST) {
    throw failure(errno, "make directory", path);
  }

  struct stat status {};

  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw failure(errno, "look at", path);
  }
  if (S_ISDIR(status.st_mode)) {
    return;
  }
  if (S_ISLNK(status.st_mode)) {
    throw_traversal(path);
  }
  if (!is_whiteout_status(status)) {
    throw_unsafe_member(path, "a file is where a directory is needed");
  }
  // Deleted below and made anew here: nothing of the old one may shine through.
  if (::unlinkat(parent, name.c_str(), 0) != 0 || ::mkdirat(parent, name.c_str(), 0700) != 0) {
    throw failure(errno, "make directory", path);
  }
  Fd made(open_beneath(parent, name.c_str(), k_write_below));
  if (!made || ::fsetxattr(made.get(), m_policy.opaque_xattr.c_str(), "y", 1, 0) != 0) {
    throw failure(errno, "mark as opaque", path);
  }
}

void TreeWriter::make_room(const Place& place, const std::string& path) {
  struct stat status {};

  if (::fstatat(place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw failure(errno, "look at", path);
  }
  if (S_ISDIR(status.st_mode)) {
    throw_unsafe_member(path, "would replace a directory");
  }
  if (::unlinkat(place.directory, place.name.c_str(), 0) != 0) {
    throw failure(errno, "replace", path);
  }
}

template <typename Make>
void TreeWriter::make_entry(const Place& place, const std::string& path, Make make) {
  if (make()) {
    return;
  }
  if (errno == EEXIST) {
    make_room(place, path);
    if (make()) {
      return;
    }
  }
  throw failure(errno, "create", path);
}

std::pair<uid_t, gid_t> TreeWriter::owner_for(const EntryMeta& meta) const {
  switch (m_policy.owners) {
  case Owners::from_entry:
    return {meta.uid, meta.gid};
  case Owners::fixed:
    return {m_policy.uid, m_policy.gid};
  case Owners::ours:
    break;
  }
  return {static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
}

void TreeWriter::apply(int fd, const EntryMeta& meta, const std::string& path) {
  auto [uid, gid] = owner_for(meta);
  if (m_policy.owners != Owners::ours && ::fchown(fd, uid, gid) != 0) {
    throw failure(errno, "change owner of", path);
  }
  if (::fchmod(fd, meta.mode & 07777 & m_policy.mode_mask) != 0) {
    throw failure(errno, "change mode of", path);
  }
  for (const auto& [name, value] : meta.xattrs) {
    if (!may_keep_xattr(name, m_policy)) {
      ++m_dropped_xattrs;
    } else if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
      throw failure(errno, fmt::format("set attribute {} of", printable(name)), path);
    }
  }
  if (meta.mtime) {
    const timespec times[2] = {*meta.mtime, *meta.mtime};
    if (::futimens(fd, times) != 0) {
      throw failure(errno, "set time of", path);
    }
  }
}

void TreeWriter::add_directory(const std::string& path, const EntryMeta& meta) {
  if (!path.empty()) {
    Place place = place_of(path);
    make_directory_at(place.directory, place.name, path);
  }
  m_directories.insert_or_assign(path, meta);
  m_implicit.erase(path);
}

void TreeWriter::add_file(
    const std::string& path, const EntryMeta& meta, const std::function<void(int fd)>& fill) {
  Place place = place_of(path);
  Fd file;
  make_entry(place, path, [&] {
    file = Fd(::openat(
        place.directory, place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    return file.valid();
  });
  try {
    fill(file.get());
  } catch (Error& error) {
    throw error.context().empty() ? error.add_context("while writing " + path) : error;
  }
  apply(file.get(), meta, path);
}

void TreeWriter::add_symlink(const std::string& path, const std::string& target, const EntryMeta& meta) {
  Place place = place_of(path);
  if (target.empty() || target.size() > m_policy.max_path || target.find('\0') != std::string::npos) {
    throw_unsafe_member(path, "a symlink whose target is empty or too long");
  }
  make_entry(
      place, path, [&] { return ::symlinkat(target.c_str(), place.directory, place.name.c_str()) == 0; });
  auto [uid, gid] = owner_for(meta);
  if (m_policy.owners != Owners::ours
      && ::fchownat(place.directory, place.name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
    throw failure(errno, "change owner of", path);
  }
  if (meta.mtime) {
    const timespec times[2] = {*meta.mtime, *meta.mtime};
    if (::utimensat(place.directory, place.name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      throw failure(errno, "set time of", path);
    }
  }
}

void TreeWriter::add_hardlink(const std::string& path, const std::string& target) {
  if (target.empty() || normal_member_path(target, m_policy) != target) {
    throw_unsafe_member(path, "a hard link whose target is not a plain relative path");
  }
  if (target == path) {
    throw_unsafe_member(path, "a hard link to itself");
  }
  const std::string parent(parent_path(target));
  const std::string name = target.substr(target.rfind('/') + 1);
  Fd directory;

  struct stat status {};

  const auto find = [&] {
    directory = Fd(open_beneath(m_root, parent.empty() ? "." : parent.c_str(), k_write_below));
    if (!directory && errno == ELOOP) {
      throw_traversal(target);
    }
    return directory && ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  };
  if (!find() && !(copy_up(target) && find())) {
    throw_unsafe_member(path, fmt::format("a hard link to '{}', which is not there", printable(target)));
  }
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw_unsafe_member(path, fmt::format("a hard link to '{}', which is no file", printable(target)));
  }
  Place place = place_of(path);
  make_entry(place, path, [&] {
    // Without AT_SYMLINK_FOLLOW a symlink is linked itself, never what it points to.
    return ::linkat(directory.get(), name.c_str(), place.directory, place.name.c_str(), 0) == 0;
  });
}

void TreeWriter::add_whiteout(const std::string& path) {
  Place place = place_of(path);
  if (::mknodat(place.directory, place.name.c_str(), S_IFCHR, makedev(0, 0)) == 0) {
    return;
  }
  if (errno != EEXIST) {
    throw failure(errno, "make whiteout", path);
  }

  struct stat status {};

  if (::fstatat(place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw failure(errno, "look at", path);
  }
  if (S_ISDIR(status.st_mode)) {
    make_opaque(path);
  }
}

void TreeWriter::make_opaque(const std::string& path) {
  Fd directory = path.empty() ? duplicate(m_root) : open_or_make(path, path);
  if (::fsetxattr(directory.get(), m_policy.opaque_xattr.c_str(), "y", 1, 0) != 0) {
    throw failure(errno, "mark as opaque", path);
  }
}

void TreeWriter::finish() {
  m_parent_known = false;
  m_parent.reset();
  m_stands_on_lower = m_stands_on_lower || !m_implicit.empty();
  if (m_policy.lower.directory && m_directories.find("") == m_directories.end()) {
    if (auto meta = m_policy.lower.directory("")) {
      m_directories.emplace("", std::move(*meta));
    }
  }
  // Backwards through the sorted paths: what is below comes before what is above.
  for (auto entry = m_directories.rbegin(); entry != m_directories.rend(); ++entry) {
    const auto& [path, meta] = *entry;
    Fd directory(open_beneath(m_root, path.empty() ? "." : path.c_str(), k_write_below));
    if (!directory) {
      throw failure(errno, "open directory", path);
    }
    apply(directory.get(), meta, path);
  }
  m_directories.clear();
}

} // namespace pyro::os
