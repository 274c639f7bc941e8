#include "scratch_disk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

constexpr const char* k_disk_uuid = "70790072-6f00-4000-a000-736372617463";

} // namespace

void make_ext4_disk(const std::string& path, std::uint64_t bytes) {
  const auto program = os::find_program("mke2fs");
  if (!program) {
    throw Error(ErrorCode::unavailable, "virtual machines need the program mke2fs for their scratch disk")
        .with_hint("apt install e2fsprogs");
  }
  const auto file = os::open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) < 0) {
    throw Error::from_errno(errno, fmt::format("make {} {} bytes long", path, bytes));
  }
  os::Command command{
      {*program, "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-U", k_disk_uuid, "-E",
       fmt::format(
           "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0,hash_seed={}", k_disk_uuid),
       "-O", "^metadata_csum_seed", path}};
  command.env = std::map<std::string, std::string>{
      {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"SOURCE_DATE_EPOCH", "1"}, {"E2FSPROGS_FAKE_TIME", "1"}};
  os::run_checked(std::move(command));
}

} // namespace pyro::backend
