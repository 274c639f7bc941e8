// What SFTP packets are made of: kinds, statuses, attributes, names. See sftp.hpp.
#pragma once

#include <pyro/protocol/octets.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::agent {

enum class SftpKind : std::uint8_t {
  init = 1,
  version = 2,
  open = 3,
  close = 4,
  read = 5,
  write = 6,
  lstat = 7,
  fstat = 8,
  setstat = 9,
  fsetstat = 10,
  opendir = 11,
  readdir = 12,
  remove = 13,
  mkdir = 14,
  rmdir = 15,
  realpath = 16,
  stat = 17,
  rename = 18,
  readlink = 19,
  symlink = 20,
  status = 101,
  handle = 102,
  data = 103,
  name = 104,
  attributes = 105,
  extended = 200,
  extended_reply = 201,
};

enum class SftpStatus : std::uint32_t {
  ok = 0,
  end_of_file = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,
  bad_message = 5,
  unsupported = 8,
};

/// A packet is at most so long; OpenSSH's clients send and ask for 32 KiB of a file at once.
inline constexpr std::uint32_t k_sftp_packet = 256 << 10;
inline constexpr std::uint32_t k_sftp_data = k_sftp_packet - 1024;

/// What a client wants to set, or a file has.
struct SftpAttributes {
  std::optional<std::uint64_t> size;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> owner; // user, group
  std::optional<std::uint32_t> mode;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> times; // of access, of change; seconds
};

/// Error(protocol) where the packet ends too early.
SftpAttributes take_attributes(protocol::OctetReader& from);
void put_attributes(std::string& to, const struct stat& status);

/// A line as `ls -l` prints it, which clients show.
std::string long_name(const std::string& name, const struct stat& status);

/// For an errno, as OpenSSH's server has it.
SftpStatus sftp_status_of(int error_number);

/// "kind, id, body" with its length in front.
std::string sftp_packet(SftpKind kind, std::uint32_t id, std::string_view body);

} // namespace pyro::agent
