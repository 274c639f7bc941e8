#include "upper_reader.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/beneath.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>
#include <pyro/protocol/upper_content.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

using protocol::UpperEntry;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Small writes together.
class Output {
public:
  explicit Output(int fd) : m_fd(fd) {}

  void write(std::string_view bytes) {
    m_pending += bytes;
    if (m_pending.size() >= k_enough) {
      flush();
    }
  }

  void flush() {
    os::write_all(m_fd, m_pending);
    m_pending.clear();
  }

private:
  static constexpr std::size_t k_enough = 64 << 10;

  int m_fd;
  std::string m_pending;
};

UpperEntry::Kind kind_of(const struct stat& status) {
  if (os::is_whiteout(status)) {
    return UpperEntry::Kind::whiteout;
  }
  switch (status.st_mode & S_IFMT) {
  case S_IFDIR:
    return UpperEntry::Kind::directory;
  case S_IFREG:
    return UpperEntry::Kind::file;
  case S_IFLNK:
    return UpperEntry::Kind::symlink;
  case S_IFIFO:
    return UpperEntry::Kind::fifo;
  default:
    return UpperEntry::Kind::other;
  }
}

UpperEntry entry_of(const struct stat& status) {
  UpperEntry entry;
  entry.kind = kind_of(status);
  entry.mode = status.st_mode & 07777;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.links = static_cast<std::uint32_t>(status.st_nlink);
  entry.inode = status.st_ino;
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.mtime_ns = nanoseconds(status.st_mtim);
  entry.ctime_ns = nanoseconds(status.st_ctim);
  return entry;
}

/// Where the overlay is mounted without userxattr the mark has its privileged name.
void add_attributes(UpperEntry& entry, int fd) {
  entry.xattrs = os::extended_attributes_of(fd);
  char value = 0;
  if (::fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y') {
    entry.xattrs["user.overlay.opaque"] = "y";
  }
}

/// False: it vanished, or became something else meanwhile.
bool complete(UpperEntry& entry, const os::TreeEntry& found) {
  try {
    if (entry.kind == UpperEntry::Kind::symlink) {
      entry.target = os::read_link_at(found.directory, found.name);
    } else if (found.is_directory() || found.is_file()) {
      const int type = found.is_directory() ? O_DIRECTORY : 0;
      const auto file =
          os::maybe_open_beneath(found.directory, found.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | type);
      if (file) {
        add_attributes(entry, file->get());
      }
      return file.has_value();
    }
  } catch (const Error&) {
    if (os::maybe_status_at(found.directory, found.name)) {
      throw;
    }
    return false;
  }
  return true;
}

/// Beside the numbers of the disk the birth of the directory: a disk made anew from the same image differs.
std::string identity_of(int directory) {
  struct statfs system {};

  struct statx birth {};

  if (::fstatfs(directory, &system) != 0
      || ::statx(directory, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &birth) != 0) {
    throw Error::from_errno(errno, "look at the writable layer");
  }
  std::array<unsigned char, sizeof system.f_fsid> id{};
  std::memcpy(id.data(), &system.f_fsid, id.size());
  return fmt::format(
      "{:x}-{:02x}-{}-{}.{}", system.f_type, fmt::join(id, ""), birth.stx_ino, birth.stx_btime.tv_sec,
      birth.stx_btime.tv_nsec);
}

void send_range(Output& output, int file, off_t from, off_t to) {
  std::array<char, protocol::k_max_upper_piece> buffer;
  while (from < to) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), static_cast<std::uint64_t>(to - from));
    const auto got = ::pread(file, buffer.data(), wanted, from);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw Error::from_errno(errno, "read a file of the writable layer");
    }
    if (got == 0) {
      return; // shorter than it was; the end says so
    }
    output.write(protocol::encode_upper_data({buffer.data(), static_cast<std::size_t>(got)}));
    from += got;
  }
}

void send_content(Output& output, int file, const struct stat& status) {
  for (off_t at = 0; at < status.st_size;) {
    const auto found = ::lseek(file, at, SEEK_DATA);
    if (found < 0 && errno != ENXIO) {
      send_range(output, file, at, status.st_size); // a file system that knows no holes
      return;
    }
    const auto data = found < 0 ? status.st_size : std::min<off_t>(found, status.st_size);
    if (data > at) {
      output.write(protocol::encode_upper_hole(static_cast<std::uint64_t>(data - at)));
    }
    if (data == status.st_size) {
      return;
    }
    const auto hole = ::lseek(file, data, SEEK_HOLE);
    at = hole < 0 ? status.st_size : std::min<off_t>(hole, status.st_size);
    send_range(output, file, data, at);
  }
}

struct stat status_of(int file) {
  struct stat status {};

  if (::fstat(file, &status) != 0) {
    throw Error::from_errno(errno, "look at a file of the writable layer");
  }
  return status;
}

/// A file that gets shorter in the middle leaves a hole in what a hole-seeking reader counts on; the sizes
/// tell.
void send_file(Output& output, int file) {
  const auto before = status_of(file);
  output.write(protocol::encode_upper_file(
      {true, before.st_ino, static_cast<std::uint64_t>(before.st_size), nanoseconds(before.st_ctim)}));
  send_content(output, file, before);
  const auto after = status_of(file);
  const bool is_same = after.st_size == before.st_size
                       && nanoseconds(after.st_ctim) == nanoseconds(before.st_ctim)
                       && nanoseconds(after.st_mtim) == nanoseconds(before.st_mtim);
  output.write(
      protocol::encode_upper_end(is_same ? protocol::UpperChanged::no : protocol::UpperChanged::yes));
}

/// A FIFO or device that took the name of a file is not waited for, and not read.
std::optional<os::Fd> open_regular(os::Beneath& tree, const std::string& path) {
  const auto place = tree.place_of(path);
  auto file =
      place ? os::maybe_open_beneath(place->directory, place->name, O_PATH | O_NOFOLLOW) : std::nullopt;
  if (!file || !S_ISREG(status_of(file->get()).st_mode)) {
    return std::nullopt;
  }
  return os::maybe_open_beneath(place->directory, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/// False at the end of the input between two paths.
bool read_exactly(int input, std::string& bytes) {
  for (std::size_t filled = 0; filled < bytes.size();) {
    const auto count = os::read_some(input, std::span(bytes).subspan(filled));
    if (count.value_or(0) == 0) {
      return false;
    }
    filled += *count;
  }
  return true;
}

} // namespace

Json list_upper(int directory, int output_fd) {
  // What programs write through a mapping changes a file's times only where its pages are clean.
  std::ignore = ::syncfs(directory);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now); // the clock that files get their times from
  Output output(output_fd);
  auto root = entry_of(status_of(directory));
  add_attributes(root, directory);
  output.write(protocol::encode_upper_entry(root));
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& found) {
    auto entry = entry_of(found.status);
    entry.depth = static_cast<std::uint32_t>(std::count(found.path.begin(), found.path.end(), '/')) + 1;
    entry.name = found.name;
    if (!complete(entry, found)) {
      return os::Visit::skip;
    }
    output.write(protocol::encode_upper_entry(entry));
    return os::Visit::go_on;
  };
  os::walk_tree(directory, visitor);
  output.flush();
  return protocol::to_json(protocol::UpperListResult{identity_of(directory), nanoseconds(now)});
}

Json read_upper(int directory, int input, int output_fd) {
  Output output(output_fd);
  os::Beneath tree(directory);
  std::string header(4, '\0');
  while (read_exactly(input, header)) {
    std::string path(protocol::upper_path_length(header), '\0');
    if (!read_exactly(input, path)) {
      throw Error(ErrorCode::protocol, "the input ends within a path");
    }
    tree.forget();
    const auto file = open_regular(tree, path);
    if (file) {
      send_file(output, file->get());
    } else {
      output.write(protocol::encode_upper_file({}));
    }
  }
  output.flush();
  return Json::object();
}

} // namespace pyro::agent
