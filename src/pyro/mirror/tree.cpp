#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::mirror {

namespace {

using protocol::UpperEntry;

std::array<timespec, 2> times_of(const UpperEntry& entry) {
  constexpr std::int64_t k_second = 1'000'000'000;
  auto seconds = entry.mtime_ns / k_second;
  auto rest = entry.mtime_ns % k_second;
  seconds -= rest < 0 ? 1 : 0;
  rest += rest < 0 ? k_second : 0;
  const timespec time{static_cast<time_t>(seconds), static_cast<long>(rest)};
  return {time, time};
}

void check(int result, std::string_view what) {
  if (result != 0) {
    throw Error::from_errno(errno, what);
  }
}

/// An id that this machine has no room for stays ours; an attribute that needs a privilege is left out.
bool is_refusal(int error_number) {
  return error_number == EPERM || error_number == ENOTSUP || error_number == EINVAL;
}

bool may_set(const std::string& name) {
  return (name.starts_with("user.") && !os::is_overlay_bookkeeping(name)) || name == "security.capability"
         || name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

/// A new owner clears setuid and capabilities, everything changes the times: in this order.
std::uint64_t set_look(int fd, const UpperEntry& entry) {
  std::uint64_t lost = 0;
  const auto count_refusal = [&lost](int result, std::string_view what) {
    if (result != 0 && !is_refusal(errno)) {
      throw Error::from_errno(errno, what);
    }
    lost += result != 0 ? 1 : 0;
  };
  count_refusal(::fchown(fd, entry.uid, entry.gid), "set the owner");
  for (const auto& [name, value] : os::extended_attributes_of(fd)) {
    if (!entry.xattrs.contains(name)) {
      count_refusal(::fremovexattr(fd, name.c_str()), "remove the attribute " + name);
    }
  }
  for (const auto& [name, value] : entry.xattrs) {
    if (may_set(name)) {
      count_refusal(
          ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0), "set the attribute " + name);
    }
  }
  check(::fchmod(fd, entry.mode), "set the mode");
  check(::futimens(fd, times_of(entry).data()), "set the times");
  return lost;
}

} // namespace

MirrorTree::MirrorTree(const std::string& tree, const std::string& staging)
    : m_staging_path(staging), m_beneath(-1) {
  os::remove_tree(staging);
  os::make_directories(staging);
  os::make_directories(tree);
  m_root = os::open_file(tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  m_staging = os::open_file(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  m_beneath = os::Beneath(m_root.get());
}

std::string MirrorTree::next_name() const {
  return std::to_string(++m_names);
}

void MirrorTree::touch_parent(const std::string& path) {
  m_touched.insert(parent_of(path));
}

void MirrorTree::remove(const std::string& path) {
  const auto place = m_beneath.place_of(path);
  const auto status = place ? os::maybe_status_at(place->directory, place->name) : std::nullopt;
  if (!status) {
    return;
  }
  touch_parent(path);
  if (!S_ISDIR(status->st_mode)) {
    check(::unlinkat(place->directory, place->name.c_str(), 0), "remove " + path);
    return;
  }
  const auto aside = next_name();
  check(
      ::renameat(place->directory, place->name.c_str(), m_staging.get(), aside.c_str()), "take away " + path);
  m_beneath.forget();
  os::remove_tree(m_staging_path + "/" + aside);
}

std::string MirrorTree::set_aside(const std::string& path) {
  const auto place = m_beneath.require(path);
  auto staged = next_name();
  check(
      ::renameat(place.directory, place.name.c_str(), m_staging.get(), staged.c_str()), "set aside " + path);
  touch_parent(path);
  return staged;
}

void MirrorTree::put_directory(const std::string& path, const UpperEntry&) {
  m_touched.insert(path);
  if (path.empty()) {
    return;
  }
  const auto place = m_beneath.require(path);
  if (::mkdirat(place.directory, place.name.c_str(), 0700) == 0) {
    touch_parent(path);
    return;
  }
  if (errno != EEXIST) {
    throw Error::from_errno(errno, "create the directory " + path);
  }
  const auto status = os::maybe_status_at(place.directory, place.name);
  if (!status || !S_ISDIR(status->st_mode)) {
    remove(path);
    check(::mkdirat(place.directory, place.name.c_str(), 0700), "create the directory " + path);
  }
}

void MirrorTree::put_special(const std::string& path, const UpperEntry& entry) {
  const auto staged = next_name();
  const auto* name = staged.c_str();
  if (entry.kind == UpperEntry::Kind::symlink) {
    check(::symlinkat(entry.target.c_str(), m_staging.get(), name), "make the symlink " + path);
  } else {
    const bool is_fifo = entry.kind == UpperEntry::Kind::fifo;
    check(
        ::mknodat(m_staging.get(), name, (is_fifo ? S_IFIFO : S_IFCHR) | 0600, makedev(0, 0)),
        fmt::format("make the {} {}", is_fifo ? "FIFO" : "whiteout", path));
  }
  if (::fchownat(m_staging.get(), name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    if (!is_refusal(errno)) {
      throw Error::from_errno(errno, "set the owner of " + path);
    }
    ++m_lost;
  }
  if (entry.kind != UpperEntry::Kind::symlink) {
    check(::fchmodat(m_staging.get(), name, entry.mode, 0), "set the mode of " + path);
  }
  check(
      ::utimensat(m_staging.get(), name, times_of(entry).data(), AT_SYMLINK_NOFOLLOW),
      "set the times of " + path);
  put(staged, path);
}

os::Fd MirrorTree::create(std::string& staged) const {
  staged = next_name();
  return os::open_at(m_staging.get(), staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

void MirrorTree::dress(int file, const UpperEntry& entry) {
  m_lost += set_look(file, entry);
}

void MirrorTree::put(const std::string& staged, const std::string& path) {
  const auto place = m_beneath.require(path);
  const auto move = [&] {
    return ::renameat(m_staging.get(), staged.c_str(), place.directory, place.name.c_str()) == 0;
  };
  touch_parent(path);
  if (move()) {
    return;
  }
  if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST) {
    throw Error::from_errno(errno, "put in place " + path);
  }
  remove(path);
  const auto again = m_beneath.require(path);
  check(
      ::renameat(m_staging.get(), staged.c_str(), again.directory, again.name.c_str()),
      "put in place " + path);
}

void MirrorTree::put_link(const std::string& first, const std::string& path) {
  const auto staged = next_name();
  const auto source = m_beneath.require(first);
  check(
      ::linkat(source.directory, source.name.c_str(), m_staging.get(), staged.c_str(), 0),
      "make the hard link " + path);
  remove(path); // renaming one name of a file over another name of it does nothing
  put(staged, path);
}

std::optional<MirrorMark> MirrorTree::mark_of(const std::string& path) {
  const auto place = m_beneath.place_of(path);
  const auto status = place ? os::maybe_status_at(place->directory, place->name) : std::nullopt;
  if (!status || !S_ISREG(status->st_mode)) {
    return std::nullopt;
  }
  return MirrorMark{
      false, status->st_ino, std::int64_t{status->st_ctim.tv_sec} * 1'000'000'000 + status->st_ctim.tv_nsec};
}

void MirrorTree::finish(std::string_view list, const protocol::UpperLimits& limits) {
  m_beneath.forget();
  if (m_touched.empty()) {
    return;
  }
  protocol::UpperListReader reader(list, limits);
  while (const auto entry = reader.next()) {
    const bool is_part = entry->depth < 2; // the generation's own, and no content
    if (is_part || entry->kind != UpperEntry::Kind::directory || !m_touched.contains(reader.path())) {
      continue;
    }
    const auto directory = m_beneath.directory(reader.path());
    if (!directory) {
      throw Error(ErrorCode::stale, "the directory {} of the mirror is gone", reader.path());
    }
    m_lost += set_look(directory->get(), *entry);
  }
  m_touched.clear();
}

} // namespace pyro::mirror
