#include "service_names.hpp"

#include "located.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/hosts_file.hpp>

#include <linux/stat.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr std::size_t k_most_hosts = 1 << 20;

/// Is what lies there mounted, which is to say: by us?
bool is_cover(int fd) {
  struct statx status {};

  return ::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) == 0
         && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// In place, since a mount point cannot be renamed over; what stays the same is never missing for a reader.
void rewrite(int fd, std::string_view before, std::string_view text) {
  const auto same = text.starts_with(before) ? before.size() : 0;
  if (::lseek(fd, static_cast<off_t>(same), SEEK_SET) < 0) {
    throw Error::from_errno(errno, "seek in /etc/hosts");
  }
  os::write_all(fd, text.substr(same));
  if (::ftruncate(fd, static_cast<off_t>(text.size())) != 0) {
    throw Error::from_errno(errno, "shorten /etc/hosts");
  }
}

} // namespace

void write_service_names(const std::set<std::string>& names) {
  if (is_workspace_elsewhere()) {
    return;
  }
  const auto file = os::maybe_open("/etc/hosts", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (!file || !is_cover(file->get())) {
    return;
  }
  const auto before = os::read_all(file->get(), k_most_hosts); // what is larger was made so inside
  const auto text = os::hosts_with_services(before, names);
  if (text != before && os::is_hosts_with_name(before)) { // a container's is mounted too
    rewrite(os::open_file("/etc/hosts", O_RDWR | O_NOFOLLOW | O_NONBLOCK).get(), before, text);
  }
}

} // namespace pyro::agent
