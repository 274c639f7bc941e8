// Any bytes as an archive of a seed or a layer: unpacked within the limits or refused, never anything outside
// the directory, and never a special file or a privileged bit in it.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/directory.hpp>

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_max_bytes = 1 << 20;

pyro::os::Fd in_memory(const unsigned char* data, std::size_t size) {
  pyro::os::Fd file(::memfd_create("archive", MFD_CLOEXEC));
  require(static_cast<bool>(file), "a file in memory");
  require(::write(file.get(), data, size) == static_cast<ssize_t>(size), "all of the input");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

void check_tree(const fs::path& root) {
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    struct stat info {};

    require(::lstat(entry.path().c_str(), &info) == 0, "what is there can be looked at");
    require(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) || S_ISLNK(info.st_mode), "no special files");
    require((info.st_mode & 07000) == 0, "no set-user-id, set-group-id or sticky bit");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::os;
  const TempDir outer(std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp", "pyro-fuzz");
  const auto inside = outer.path() + "/inside";
  fs::create_directory(inside);
  fs::permissions(inside, fs::perms::owner_all);
  ArchivePolicy policy;
  policy.max_entries = 1'000;
  policy.max_total_bytes = k_max_bytes;
  policy.max_file_bytes = k_max_bytes;
  try {
    const auto archive = in_memory(data, size);
    const auto directory = open_file(inside, O_RDONLY | O_DIRECTORY);
    const auto summary = extract_archive_fd(archive.get(), "input", directory.get(), policy);
    require(summary.entries <= policy.max_entries, "the limit of entries holds");
    require(summary.bytes <= policy.max_total_bytes, "the limit of bytes holds");
  } catch (const pyro::Error& error) {
    require(!error.message().empty(), "a refusal says why");
    require(error.code() != pyro::ErrorCode::internal, "bad input is not our mistake");
  }
  check_tree(inside);
  std::size_t beside = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(outer.path())) {
    ++beside;
  }
  require(beside == 1, "nothing outside the directory");
  return 0;
}
