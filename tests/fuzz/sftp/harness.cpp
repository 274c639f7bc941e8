// What an SFTP client sends: packets, with a line "--" between them. They are served below a root of their
// own in memory, since a client may do with files whatever the user of the process may.
#include "../support/require.hpp"

#include <pyro/agent/sftp_session.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/octets.hpp>

#include <fmt/format.h>
#include <sys/mount.h>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace {

using namespace pyro;

constexpr std::string_view k_border = "\n--\n";
constexpr const char* k_any_directory = "/mnt";

void write_to(const char* path, const std::string& text) {
  os::write_all(os::open_file(path, O_WRONLY).get(), text);
}

/// An empty root of 16 MiB that goes with the process.
void enter_root_of_its_own() {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  require(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "user namespaces can be made here");
  write_to("/proc/self/setgroups", "deny");
  write_to("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_to("/proc/self/gid_map", fmt::format("0 {} 1", group));
  require(::mount("tmpfs", k_any_directory, "tmpfs", 0, "size=16m,nr_inodes=1000") == 0, "a root in memory");
  require(::chroot(k_any_directory) == 0 && ::chdir("/") == 0, "a root of its own");
}

void check(const std::string& answer) {
  protocol::OctetReader reader(answer);
  require(answer.size() >= 9 && answer.size() <= agent::k_sftp_packet + 4, "an answer is bounded");
  require(reader.number<std::uint32_t>() == answer.size() - 4, "its length is in front");
  const auto kind = reader.number<std::uint8_t>();
  require(kind == 2 || kind == 201 || (kind >= 101 && kind <= 105), "of a kind that answers");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const bool s_entered = (enter_root_of_its_own(), true);
  require(s_entered, "nothing of this machine is in reach");
  std::string_view left(reinterpret_cast<const char*>(data), size);
  agent::SftpSession session;
  while (!left.empty()) {
    const auto packet = left.substr(0, left.find(k_border));
    left.remove_prefix(std::min(left.size(), packet.size() + k_border.size()));
    try {
      check(session.answer(packet));
    } catch (const Error& error) {
      require(error.code() == ErrorCode::protocol, "what is no packet is a protocol error");
    }
  }
  return 0;
}
