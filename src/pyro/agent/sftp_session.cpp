#include "sftp_session.hpp"

#include <pyro/base/error.hpp>

#include <climits>
#include <linux/fs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

using protocol::put_number;
using protocol::put_text;

namespace {

constexpr std::size_t k_most_handles = 128;
constexpr std::size_t k_most_names = 128; // in one answer
constexpr mode_t k_any_mode = 07777;

/// A request that cannot be answered with what it asks for.
struct Refused {
  SftpStatus status;
};

int open_flags(std::uint32_t wanted) {
  enum : std::uint32_t { read = 1, write = 2, append = 4, create = 8, truncate = 16, exclusive = 32 };

  int flags = (wanted & write) == 0 ? O_RDONLY : (wanted & read) == 0 ? O_WRONLY : O_RDWR;
  for (const auto& [wanted_flag, flag] :
       {std::pair{append, O_APPEND}, {create, O_CREAT}, {truncate, O_TRUNC}, {exclusive, O_EXCL}}) {
    flags |= (wanted & wanted_flag) != 0 ? flag : 0;
  }
  return flags | O_CLOEXEC | O_NOCTTY;
}

/// One file by path or by descriptor, whichever of the two is given.
struct Target {
  const char* path = nullptr;
  int fd = -1;
  bool follows = true;

  int stat_flags() const { return follows ? 0 : AT_SYMLINK_NOFOLLOW; }
};

int set_attributes(const Target& target, const SftpAttributes& wanted) {
  int result = 0;
  const auto do_it = [&](int outcome) {
    result = result == 0 ? outcome : result;
  };
  if (wanted.size) {
    const auto size = static_cast<off_t>(*wanted.size);
    do_it(target.fd >= 0 ? ::ftruncate(target.fd, size) : ::truncate(target.path, size));
  }
  if (wanted.times && result == 0) {
    const std::array<timespec, 2> times{timespec{wanted.times->first, 0}, timespec{wanted.times->second, 0}};
    do_it(
        target.fd >= 0 ? ::futimens(target.fd, times.data())
                       : ::utimensat(AT_FDCWD, target.path, times.data(), target.stat_flags()));
  }
  if (wanted.owner && result == 0) {
    const auto [user, group] = *wanted.owner;
    do_it(
        target.fd >= 0 ? ::fchown(target.fd, user, group)
                       : ::fchownat(AT_FDCWD, target.path, user, group, target.stat_flags()));
  }
  if (wanted.mode && result == 0) { // last: a change of owner takes bits away
    const auto mode = *wanted.mode & k_any_mode;
    do_it(
        target.fd >= 0 ? ::fchmod(target.fd, mode)
                       : ::fchmodat(AT_FDCWD, target.path, mode, target.stat_flags()));
  }
  return result;
}

} // namespace

std::string SftpSession::answer(std::string_view packet) {
  Reader request(packet);
  const auto kind = static_cast<SftpKind>(request.number<std::uint8_t>());
  if (kind == SftpKind::init) {
    return version();
  }
  m_id = request.number<std::uint32_t>();
  const auto path = [&] {
    auto text = request.text();
    if (text.find('\0') != std::string::npos) {
      throw Refused{SftpStatus::bad_message};
    }
    return text.empty() ? "." : text;
  };

  struct stat found {};

  try {
    switch (kind) {
    case SftpKind::open:
      return open_file(request);
    case SftpKind::close:
      return close_handle(request);
    case SftpKind::read:
      return read_file(request);
    case SftpKind::write:
      return write_file(request);
    case SftpKind::lstat:
      return attributes(::lstat(path().c_str(), &found), found);
    case SftpKind::stat:
      return attributes(::stat(path().c_str(), &found), found);
    case SftpKind::fstat:
      return attributes(::fstat(handle(request).descriptor(), &found), found);
    case SftpKind::setstat: {
      const auto of = path();
      return outcome(set_attributes({.path = of.c_str()}, take_attributes(request)));
    }
    case SftpKind::fsetstat: {
      const auto of = handle(request).descriptor();
      return outcome(set_attributes({.fd = of}, take_attributes(request)));
    }
    case SftpKind::opendir:
      return open_directory(request);
    case SftpKind::readdir:
      return read_directory(request);
    case SftpKind::remove:
      return outcome(::unlink(path().c_str()));
    case SftpKind::mkdir: {
      const auto made = path();
      return outcome(::mkdir(made.c_str(), take_attributes(request).mode.value_or(0777) & k_any_mode));
    }
    case SftpKind::rmdir:
      return outcome(::rmdir(path().c_str()));
    case SftpKind::realpath:
      return real_path(path());
    case SftpKind::rename: {
      const auto from = path();
      return outcome(static_cast<int>(
          ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, path().c_str(), RENAME_NOREPLACE)));
    }
    case SftpKind::readlink:
      return read_link(path());
    case SftpKind::symlink: { // OpenSSH has the target first, and so has everybody by now
      const auto target = path();
      return outcome(::symlink(target.c_str(), path().c_str()));
    }
    case SftpKind::extended:
      return extended(request);
    default:
      return status(SftpStatus::unsupported);
    }
  } catch (const Refused& refused) {
    return status(refused.status);
  }
}

std::string SftpSession::version() {
  std::string body;
  for (const auto& [name, data] :
       {std::pair{"posix-rename@openssh.com", "1"},
        {"statvfs@openssh.com", "2"},
        {"hardlink@openssh.com", "1"},
        {"fsync@openssh.com", "1"},
        {"lsetstat@openssh.com", "1"},
        {"limits@openssh.com", "1"},
        {"expand-path@openssh.com", "1"}}) {
    put_text(body, name);
    put_text(body, data);
  }
  return sftp_packet(SftpKind::version, 3, body); // its version where others have an id
}

std::string SftpSession::open_file(Reader& request) {
  const auto path = request.text();
  const auto wanted = open_flags(request.number<std::uint32_t>());
  const auto attributes = take_attributes(request);
  Handle opened;
  opened.file = os::Fd(::open(path.c_str(), wanted, attributes.mode.value_or(0666) & k_any_mode));
  opened.appends = (wanted & O_APPEND) != 0;
  return opened.file ? keep(std::move(opened)) : outcome(-1);
}

std::string SftpSession::open_directory(Reader& request) {
  Handle opened;
  opened.directory.reset(::opendir(request.text().c_str()));
  return opened.directory ? keep(std::move(opened)) : outcome(-1);
}

std::string SftpSession::close_handle(Reader& request) {
  return status(m_handles.erase(request.text()) == 1 ? SftpStatus::ok : SftpStatus::no_such_file);
}

std::string SftpSession::read_file(Reader& request) {
  const auto& from = handle(request);
  const auto offset = request.number<std::uint64_t>();
  std::string data(std::min(request.number<std::uint32_t>(), k_sftp_data), '\0');
  const auto count = ::pread(from.file.get(), data.data(), data.size(), static_cast<off_t>(offset));
  if (count < 0) {
    return outcome(-1);
  }
  if (count == 0) {
    return status(SftpStatus::end_of_file);
  }
  std::string body;
  put_text(body, std::string_view(data).substr(0, static_cast<std::size_t>(count)));
  return sftp_packet(SftpKind::data, m_id, body);
}

std::string SftpSession::write_file(Reader& request) {
  const auto& to = handle(request);
  auto offset = static_cast<off_t>(request.number<std::uint64_t>());
  auto data = request.bytes(request.number<std::uint32_t>());
  while (!data.empty()) {
    const auto count = to.appends ? ::write(to.file.get(), data.data(), data.size())
                                  : ::pwrite(to.file.get(), data.data(), data.size(), offset);
    if (count < 0) {
      return outcome(-1);
    }
    offset += count;
    data.remove_prefix(static_cast<std::size_t>(count));
  }
  return status(SftpStatus::ok);
}

std::string SftpSession::read_directory(Reader& request) {
  const auto& from = handle(request);
  if (!from.directory) {
    return status(SftpStatus::failure);
  }
  std::string names;
  std::uint32_t count = 0;
  while (count < k_most_names) {
    const auto* entry = ::readdir(from.directory.get());
    if (entry == nullptr) {
      break;
    }

    struct stat found {};

    if (::fstatat(::dirfd(from.directory.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0) {
      put_text(names, entry->d_name);
      put_text(names, long_name(entry->d_name, found));
      put_attributes(names, found);
      ++count;
    } // else it was removed meanwhile
  }
  if (count == 0) {
    return status(SftpStatus::end_of_file);
  }
  std::string body;
  put_number(body, count);
  return sftp_packet(SftpKind::name, m_id, body + names);
}

/// As realpath(3), but the last part need not be there: a client asks before it makes a file.
std::string SftpSession::real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> found(::realpath(path.c_str(), nullptr), ::free);
  if (found) {
    return one_name(found.get());
  }
  if (errno != ENOENT) {
    return outcome(-1);
  }
  const auto slash = path.find_last_not_of('/') == std::string::npos ? 0 : path.rfind('/');
  const auto parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const auto last = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::unique_ptr<char, void (*)(void*)> above(::realpath(parent.c_str(), nullptr), ::free);
  if (!above) {
    return outcome(-1);
  }
  const std::string directory = above.get();
  return one_name((directory == "/" ? "" : directory) + "/" + last);
}

std::string SftpSession::read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const auto size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? outcome(-1) : one_name({target.data(), static_cast<std::size_t>(size)});
}

std::string SftpSession::extended(Reader& request) {
  const auto name = request.text();
  if (name == "posix-rename@openssh.com" || name == "hardlink@openssh.com") {
    const auto from = request.text();
    const auto to = request.text();
    return outcome(
        name.starts_with('h') ? ::link(from.c_str(), to.c_str()) : ::rename(from.c_str(), to.c_str()));
  }
  if (name == "fsync@openssh.com") {
    return outcome(::fsync(handle(request).descriptor()));
  }
  if (name == "lsetstat@openssh.com") {
    const auto path = request.text();
    return outcome(set_attributes({.path = path.c_str(), .follows = false}, take_attributes(request)));
  }
  std::string body;
  if (name == "limits@openssh.com") {
    for (const std::uint64_t limit : {k_sftp_packet, k_sftp_data, k_sftp_data}) {
      put_number(body, limit);
    }
    put_number(body, static_cast<std::uint64_t>(k_most_handles));
    return sftp_packet(SftpKind::extended_reply, m_id, body);
  }
  if (name == "expand-path@openssh.com") {
    auto path = request.text();
    const char* home = std::getenv("HOME");
    if (home != nullptr && (path == "~" || path.starts_with("~/"))) {
      path = home + path.substr(1);
    }
    return real_path(
        path.empty() ? "." : path); // of somebody else's home nothing is known: a name like others
  }
  if (name == "statvfs@openssh.com") {
    struct statvfs of {};

    if (::statvfs(request.text().c_str(), &of) != 0) {
      return outcome(-1);
    }
    for (const std::uint64_t number :
         {of.f_bsize, of.f_frsize, of.f_blocks, of.f_bfree, of.f_bavail, of.f_files, of.f_ffree, of.f_favail,
          of.f_fsid, of.f_flag & (ST_RDONLY | ST_NOSUID), of.f_namemax}) {
      put_number(body, number);
    }
    return sftp_packet(SftpKind::extended_reply, m_id, body);
  }
  return status(SftpStatus::unsupported);
}

SftpSession::Handle& SftpSession::handle(Reader& request) {
  const auto found = m_handles.find(request.text());
  if (found == m_handles.end()) {
    throw Refused{SftpStatus::failure};
  }
  return found->second;
}

std::string SftpSession::keep(Handle handle) {
  if (m_handles.size() >= k_most_handles) {
    return status(SftpStatus::failure);
  }
  const auto name = std::to_string(++m_last_handle);
  m_handles.emplace(name, std::move(handle));
  std::string body;
  put_text(body, name);
  return sftp_packet(SftpKind::handle, m_id, body);
}

std::string SftpSession::status(SftpStatus code) const {
  constexpr std::array<std::string_view, 9> k_texts{
      "Success",     "End of file",   "No such file",    "Permission denied",    "Failure",
      "Bad message", "No connection", "Connection lost", "Operation unsupported"};
  std::string body;
  put_number(body, static_cast<std::uint32_t>(code));
  put_text(body, k_texts.at(static_cast<std::size_t>(code)));
  put_text(body, "");
  return sftp_packet(SftpKind::status, m_id, body);
}

std::string SftpSession::outcome(int result) const {
  return status(result == 0 ? SftpStatus::ok : sftp_status_of(errno));
}

std::string SftpSession::attributes(int result, const struct stat& found) const {
  if (result != 0) {
    return outcome(result);
  }
  std::string body;
  put_attributes(body, found);
  return sftp_packet(SftpKind::attributes, m_id, body);
}

std::string SftpSession::one_name(const std::string& path) const {
  std::string body;
  put_number(body, std::uint32_t{1});
  put_text(body, path);
  put_text(body, path);
  put_number(body, std::uint32_t{0}); // no attributes
  return sftp_packet(SftpKind::name, m_id, body);
}

} // namespace pyro::agent
