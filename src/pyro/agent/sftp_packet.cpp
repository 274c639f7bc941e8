#include "sftp_packet.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace pyro::agent {

using protocol::put_number;

namespace {

constexpr std::uint32_t k_has_size = 1;
constexpr std::uint32_t k_has_owner = 2;
constexpr std::uint32_t k_has_mode = 4;
constexpr std::uint32_t k_has_times = 8;
constexpr std::uint32_t k_has_extended = 0x80000000;

char letter_of_type(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFDIR:
    return 'd';
  case S_IFLNK:
    return 'l';
  case S_IFCHR:
    return 'c';
  case S_IFBLK:
    return 'b';
  case S_IFIFO:
    return 'p';
  case S_IFSOCK:
    return 's';
  default:
    return '-';
  }
}

std::string mode_text(mode_t mode) {
  std::string text(1, letter_of_type(mode));
  constexpr std::string_view k_letters = "rwxrwxrwx";
  for (std::size_t bit = 0; bit < k_letters.size(); ++bit) {
    text += (mode & (0400U >> bit)) != 0 ? k_letters[bit] : '-';
  }
  const auto special = [&](mode_t flag, std::size_t at, char letter) {
    if ((mode & flag) != 0) {
      text[at] = text[at] == 'x' ? letter : static_cast<char>(letter - 'a' + 'A');
    }
  };
  special(S_ISUID, 3, 's');
  special(S_ISGID, 6, 's');
  special(S_ISVTX, 9, 't');
  return text;
}

} // namespace

SftpAttributes take_attributes(protocol::OctetReader& from) {
  SftpAttributes attributes;
  const auto flags = from.number<std::uint32_t>();
  const auto pair = [&] {
    const auto first = from.number<std::uint32_t>();
    return std::pair(first, from.number<std::uint32_t>());
  };
  if ((flags & k_has_size) != 0) {
    attributes.size = from.number<std::uint64_t>();
  }
  if ((flags & k_has_owner) != 0) {
    attributes.owner = pair();
  }
  if ((flags & k_has_mode) != 0) {
    attributes.mode = from.number<std::uint32_t>();
  }
  if ((flags & k_has_times) != 0) {
    attributes.times = pair();
  }
  if ((flags & k_has_extended) != 0) { // pairs of texts, of which nobody has defined any
    for (auto count = from.number<std::uint32_t>(); count > 0; --count) {
      std::ignore = from.text();
      std::ignore = from.text();
    }
  }
  return attributes;
}

void put_attributes(std::string& to, const struct stat& status) {
  put_number(to, k_has_size | k_has_owner | k_has_mode | k_has_times);
  put_number(to, static_cast<std::uint64_t>(status.st_size));
  for (const auto number : {status.st_uid, status.st_gid, status.st_mode}) {
    put_number(to, static_cast<std::uint32_t>(number));
  }
  for (const auto time : {status.st_atime, status.st_mtime}) {
    put_number(to, static_cast<std::uint32_t>(time));
  }
}

std::string long_name(const std::string& name, const struct stat& status) {
  struct tm when {};

  std::array<char, 32> time{};
  ::gmtime_r(&status.st_mtime, &when);
  std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M", &when);
  return fmt::format(
      "{} {:>4} {:<8} {:<8} {:>9} {} {}", mode_text(status.st_mode), status.st_nlink, status.st_uid,
      status.st_gid, status.st_size, time.data(), name);
}

SftpStatus sftp_status_of(int error_number) {
  switch (error_number) {
  case 0:
    return SftpStatus::ok;
  case ENOENT:
  case ENOTDIR:
  case EBADF:
  case ELOOP:
    return SftpStatus::no_such_file;
  case EPERM:
  case EACCES:
  case EFAULT:
    return SftpStatus::permission_denied;
  case ENAMETOOLONG:
  case EINVAL:
    return SftpStatus::bad_message;
  case ENOSYS:
    return SftpStatus::unsupported;
  default:
    return SftpStatus::failure;
  }
}

std::string sftp_packet(SftpKind kind, std::uint32_t id, std::string_view body) {
  std::string packet;
  put_number(packet, static_cast<std::uint32_t>(body.size() + 5));
  put_number(packet, static_cast<std::uint8_t>(kind));
  put_number(packet, id);
  packet += body;
  return packet;
}

} // namespace pyro::agent
