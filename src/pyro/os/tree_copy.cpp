#include "tree_copy.hpp"

#include <pyro/base/error.hpp>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace pyro::os {

namespace {

constexpr std::string_view k_opaque = "user.overlay.opaque";

bool belongs_to_content(std::string_view name) {
  return (name.starts_with("user.") && !is_overlay_bookkeeping(name)) || name == "security.capability"
         || name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

/// The list of names or a value: asks for the size, then for the bytes, again where it grew in between.
template <typename Call>
std::optional<std::string> read_growing(Call call, std::string_view what) {
  std::string buffer;
  while (true) {
    const ssize_t size = call(nullptr, 0);
    if (size < 0) {
      if (errno == ENODATA || errno == ENOTSUP || errno == EPERM || errno == EACCES) {
        return std::nullopt;
      }
      throw Error::from_errno(errno, what);
    }
    buffer.resize(static_cast<std::size_t>(size));
    if (size == 0) {
      return buffer;
    }
    const ssize_t length = call(buffer.data(), buffer.size());
    if (length >= 0) {
      buffer.resize(static_cast<std::size_t>(length));
      return buffer;
    }
    if (errno != ERANGE) {
      throw Error::from_errno(errno, what);
    }
  }
}

void copy_range(int source, int target, off_t from, off_t to) {
  std::array<char, 128 << 10> buffer;
  bool in_kernel = static_cast<std::size_t>(to - from) > buffer.size(); // small ones are quicker by hand
  while (from < to) {
    const auto wanted = static_cast<std::size_t>(to - from);
    if (in_kernel) {
      loff_t in = from;
      loff_t out = from;
      const ssize_t copied = copy_file_range(source, &in, target, &out, wanted, 0);
      if (copied > 0) {
        from += copied;
        continue;
      }
      if (copied < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) {
        throw Error::from_errno(errno, "copy a file");
      }
      in_kernel = false; // other file systems, old kernels, or the file got shorter: the plain way decides
    }
    const ssize_t got = pread(source, buffer.data(), std::min(buffer.size(), wanted), from);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw Error::from_errno(errno, "read a file to be copied");
    }
    if (got == 0) {
      return; // shorter than it was
    }
    for (ssize_t done = 0; done < got;) {
      const ssize_t written =
          pwrite(target, buffer.data() + done, static_cast<std::size_t>(got - done), from + done);
      if (written < 0 && errno != EINTR) {
        throw Error::from_errno(errno, "write a copy");
      }
      done += std::max<ssize_t>(written, 0);
    }
    from += got;
  }
}

void copy_data(int source, int target, const struct stat& status) {
  const bool may_have_holes = status.st_blocks * 512 < status.st_size;
  if (!may_have_holes) {
    copy_range(source, target, 0, status.st_size);
    return;
  }
  for (off_t at = 0; at < status.st_size;) {
    const off_t data = lseek(source, at, SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) {
        break; // a hole to the end
      }
      throw Error::from_errno(errno, "find the data of a sparse file");
    }
    const off_t hole = lseek(source, data, SEEK_HOLE);
    if (hole < 0) {
      throw Error::from_errno(errno, "find the holes of a sparse file");
    }
    copy_range(source, target, data, hole);
    at = hole;
  }
  if (ftruncate(target, status.st_size) != 0) {
    throw Error::from_errno(errno, "set the size of a copy");
  }
}

std::array<timespec, 2> times_of(const struct stat& status) {
  return {status.st_atim, status.st_mtim};
}

class TreeCopy {
public:
  TreeCopy(const std::string& target, const CopyOptions& options) : m_options(options) {
    if (mkdir(target.c_str(), 0700) != 0 && errno != EEXIST) {
      throw Error::from_errno(errno, "create " + target);
    }
    m_root = open_file(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  CopyReport run(int source) {
    struct stat status {};

    if (fstat(source, &status) != 0) {
      throw Error::from_errno(errno, "look at the root of a tree");
    }
    m_open.push_back(open_directory_at(m_root.get(), "."));
    walk_tree(
        source, TreeVisitor{
                    [this](const TreeEntry& entry) { return enter(entry); },
                    [this](const TreeEntry& entry) {
                      leave(entry);
                    }});
    apply_metadata(m_root.get(), status, extended_attributes_of(source));
    return m_report;
  }

private:
  Visit enter(const TreeEntry& entry) {
    const mode_t type = entry.status.st_mode & S_IFMT;
    if (type == S_IFSOCK || type == S_IFBLK || (type == S_IFCHR && !is_whiteout(entry.status))) {
      return Visit::skip;
    }
    if (m_options.wanted && !m_options.wanted(entry)) {
      return Visit::skip;
    }
    ++m_report.entries;
    try {
      if (type == S_IFDIR) {
        make_directory(entry);
      } else if (!linked_to_earlier_name(entry)) {
        copy_entry(entry, type);
      }
    } catch (Error& error) {
      throw error.add_context("while copying " + entry.path);
    }
    return Visit::go_on;
  }

  void leave(const TreeEntry& entry) {
    const Fd source = open_directory_at(entry.directory, entry.name);
    const Fd done = std::move(m_open.back());
    m_open.pop_back();
    if (!m_open.back()) {
      m_open.back() = open_directory_at(done.get(), "..");
    }
    apply_metadata(done.get(), entry.status, extended_attributes_of(source.get()));
  }

  void make_directory(const TreeEntry& entry) {
    const int parent = m_open.back().get();
    if (mkdirat(parent, entry.name.c_str(), 0700) != 0) {
      throw Error::from_errno(errno, "create a directory");
    }
    Fd made = open_directory_at(parent, entry.name);
    constexpr std::size_t k_open_directories = 64;
    if (m_open.size() >= k_open_directories) {
      m_open[m_open.size() - k_open_directories].reset();
    }
    m_open.push_back(std::move(made));
  }

  bool linked_to_earlier_name(const TreeEntry& entry) {
    if (entry.status.st_nlink < 2 || is_whiteout(entry.status)) {
      return false; // overlayfs shares one inode among all its whiteouts
    }
    const auto [known, is_new] = m_links.try_emplace({entry.status.st_dev, entry.status.st_ino}, entry.path);
    if (is_new) {
      return false;
    }
    const std::optional<Fd> first = maybe_open_beneath(m_root.get(), known->second, O_PATH | O_NOFOLLOW);
    if (!first) {
      throw Error(ErrorCode::io, "the first name {} of a hard link is gone", known->second);
    }
    link_here(*first, entry.name);
    return true;
  }

  void link_here(const Fd& file, const std::string& name) {
    const std::string path = fmt::format("/proc/self/fd/{}", file.get());
    if (linkat(AT_FDCWD, path.c_str(), m_open.back().get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      throw Error::from_errno(errno, "make a hard link");
    }
    ++m_report.linked;
  }

  bool linked_to_same_file(const TreeEntry& entry) {
    if (!m_options.same_file) {
      return false;
    }
    const std::string same = m_options.same_file(entry);
    if (same.empty()) {
      return false;
    }
    if (linkat(AT_FDCWD, same.c_str(), m_open.back().get(), entry.name.c_str(), 0) != 0) {
      if (errno == EMLINK || errno == EXDEV || errno == ENOENT || errno == EPERM) {
        return false; // a copy does as well
      }
      throw Error::from_errno(errno, "link " + same);
    }
    ++m_report.linked;
    return true;
  }

  void copy_entry(const TreeEntry& entry, mode_t type) {
    const int parent = m_open.back().get();
    const char* name = entry.name.c_str();
    if (type == S_IFREG) {
      if (!linked_to_same_file(entry)) {
        copy_file(entry);
      }
      return;
    }
    if (type == S_IFLNK) {
      if (symlinkat(read_link_at(entry.directory, entry.name).c_str(), parent, name) != 0) {
        throw Error::from_errno(errno, "make a symlink");
      }
    } else if (mknodat(parent, name, type | 0600, type == S_IFCHR ? makedev(0, 0) : 0) != 0) {
      throw Error::from_errno(errno, type == S_IFCHR ? "make a whiteout" : "make a FIFO");
    }
    if (fchownat(parent, name, entry.status.st_uid, entry.status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      throw Error::from_errno(errno, "set the owner");
    }
    if (type != S_IFLNK && fchmodat(parent, name, entry.status.st_mode & 07777, 0) != 0) {
      throw Error::from_errno(errno, "set the mode");
    }
    if (utimensat(parent, name, times_of(entry.status).data(), AT_SYMLINK_NOFOLLOW) != 0) {
      throw Error::from_errno(errno, "set the times");
    }
  }

  void copy_file(const TreeEntry& entry) {
    const Fd source = open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

    struct stat status {};

    if (fstat(source.get(), &status) != 0) {
      throw Error::from_errno(errno, "look at the file");
    }
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::stale, "the file became something else meanwhile");
    }
    const Fd target =
        open_at(m_open.back().get(), entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (m_try_reflink && status.st_size > 0) {
      m_try_reflink = ioctl(target.get(), FICLONE, source.get()) == 0;
    }
    if (m_try_reflink && status.st_size > 0) {
      ++m_report.reflinked;
    } else {
      copy_data(source.get(), target.get(), status);
      ++m_report.copied;
      m_report.bytes_copied += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    apply_metadata(target.get(), status, extended_attributes_of(source.get()));
  }

  /// In this order: a new owner clears setuid and capabilities, everything changes the times.
  void apply_metadata(int fd, const struct stat& status, const ExtendedAttributes& attributes) {
    if (fchown(fd, status.st_uid, status.st_gid) != 0) {
      throw Error::from_errno(errno, fmt::format("set the owner {}:{}", status.st_uid, status.st_gid));
    }
    for (const auto& [name, value] : attributes) {
      if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
        if (errno != EPERM && errno != ENOTSUP && errno != EINVAL) {
          throw Error::from_errno(errno, "set the attribute " + name);
        }
        ++m_report.attributes_lost;
      }
    }
    if (fchmod(fd, status.st_mode & 07777) != 0) {
      throw Error::from_errno(errno, "set the mode");
    }
    if (futimens(fd, times_of(status).data()) != 0) {
      throw Error::from_errno(errno, "set the times");
    }
  }

  const CopyOptions& m_options;
  CopyReport m_report;
  Fd m_root;
  std::vector<Fd> m_open; // the directory being filled is the last; far ancestors are closed
  std::map<std::pair<dev_t, ino_t>, std::string> m_links;
  bool m_try_reflink = true; // until the file system says no
};

} // namespace

bool is_overlay_bookkeeping(std::string_view attribute) {
  // "user.overlay.overlay.*" is what somebody inside a sandbox set on an overlay of their own.
  return attribute.starts_with("user.overlay.") && attribute != k_opaque
         && !attribute.starts_with("user.overlay.overlay.");
}

ExtendedAttributes extended_attributes_of(int fd) {
  ExtendedAttributes found;
  const auto names = read_growing(
      [fd](char* to, std::size_t size) { return flistxattr(fd, to, size); }, "list extended attributes");
  if (!names) {
    return found;
  }
  for (std::size_t at = 0; at < names->size();) {
    const std::string name = names->c_str() + at;
    at += name.size() + 1;
    if (!belongs_to_content(name)) {
      continue;
    }
    auto value = read_growing(
        [fd, &name](char* to, std::size_t size) { return fgetxattr(fd, name.c_str(), to, size); },
        "read the attribute " + name);
    if (value) {
      found.emplace(name, std::move(*value));
    }
  }
  return found;
}

bool is_opaque(int directory) {
  char value = 0;
  return fgetxattr(directory, k_opaque.data(), &value, 1) == 1 && value == 'y';
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

std::string_view name_of(CopyMethod method) {
  return method == CopyMethod::reflinked ? "reflink" : "sparse_copy";
}

CopyMethod copy_content(int source, int target) {
  if (ioctl(target, FICLONE, source) == 0) {
    return CopyMethod::reflinked;
  }

  struct stat status {};

  if (fstat(source, &status) != 0) {
    throw Error::from_errno(errno, "look at a file to be copied");
  }
  copy_data(source, target, status);
  return CopyMethod::copied;
}

CopyReport copy_tree(int source, const std::string& target, const CopyOptions& options) {
  return TreeCopy(target, options).run(source);
}

CopyReport copy_tree(const std::string& source, const std::string& target, const CopyOptions& options) {
  return copy_tree(open_directory(source).get(), target, options);
}

} // namespace pyro::os
