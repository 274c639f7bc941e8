#include "scratch_disk.hpp"

#include "confinement.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {

void make_scratch_disk(const std::string& path, std::uint64_t bytes) {
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
      {*program, "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-U",
       "70790072-6f00-4000-a000-736372617463", "-E",
       "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0,hash_seed=70790072-6f00-4000-a000-"
       "736372617463",
       "-O", "^metadata_csum_seed", path}};
  command.env = std::map<std::string, std::string>{
      {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"SOURCE_DATE_EPOCH", "1"}, {"E2FSPROGS_FAKE_TIME", "1"}};
  os::run_checked(std::move(command));
  give_to_confined(file.get());
}

std::string copy_scratch_disk(const std::string& from, const std::string& to) {
  const auto source = os::open_file(from, O_RDONLY);
  os::AtomicFile target(to, 0600);
  const auto method = os::copy_content(source.get(), target.fd());

  struct stat status {};

  if (::fstat(source.get(), &status) < 0 || ::ftruncate(target.fd(), status.st_size) < 0) {
    throw Error::from_errno(errno, fmt::format("copy {}", from));
  }
  give_to_confined(target.fd());
  target.commit(os::Durable::no);
  return std::string(os::name_of(method));
}

} // namespace pyro::backend::qemu
