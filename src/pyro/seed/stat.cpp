#include "stat.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <vector>

namespace pyro::seed {

namespace {

constexpr std::int64_t k_second_ns = 1'000'000'000;
constexpr std::int64_t k_fine_slack_ns = 20'000'000;        // more than a tick of any kernel
constexpr std::int64_t k_coarse_slack_ns = 2 * k_second_ns; // file systems that count in seconds

std::int64_t nanoseconds_of(const struct statx_timestamp& time) {
  return time.tv_sec * k_second_ns + time.tv_nsec;
}

SeedStat convert(const struct statx& status) {
  SeedStat result;
  result.key = {
      makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino, status.stx_size,
      nanoseconds_of(status.stx_mtime), nanoseconds_of(status.stx_ctime)};
  result.links = status.stx_nlink;
  result.mode = status.stx_mode;
  result.blocks = status.stx_blocks;
  return result;
}

constexpr unsigned k_wanted =
    STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_BLOCKS;

} // namespace

std::int64_t file_clock_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time.tv_sec * k_second_ns + time.tv_nsec;
}

std::optional<SeedStat> seed_stat(int directory, const char* name) {
  struct statx status {};

  if (::statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, k_wanted, &status)
      != 0) {
    int number = errno;
    if (number == ENOENT) {
      return std::nullopt;
    }
    throw Error::from_errno(number, fmt::format("look at seed file {}", name));
  }
  return convert(status);
}

SeedStat seed_stat_of(int fd, const std::string& path) {
  struct statx status {};

  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, k_wanted, &status) != 0) {
    throw Error::from_errno(errno, fmt::format("look at seed file {}", path));
  }
  return convert(status);
}

std::uint16_t seed_mode_of(mode_t mode) {
  mode_t kept = S_ISDIR(mode) ? 0777 | S_ISVTX : 0777;
  return static_cast<std::uint16_t>(mode & kept);
}

bool is_settled(const StatKey& key, std::int64_t scan_start_ns) {
  bool coarse = key.mtime_ns % k_second_ns == 0 && key.ctime_ns % k_second_ns == 0;
  auto limit = scan_start_ns - (coarse ? k_coarse_slack_ns : k_fine_slack_ns);
  return key.mtime_ns < limit && key.ctime_ns < limit;
}

void run_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::exception_ptr failure;
  auto loop = [&] {
    for (std::size_t i = next++; i < count && !stop; i = next++) {
      try {
        check_interruption();
        work(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!failure) {
          failure = std::current_exception();
        }
        stop = true;
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads && i < count; ++i) {
    try {
      helpers.emplace_back(loop);
    } catch (const std::system_error&) { // no more threads here: fewer do it as well
      break;
    }
  }
  loop();
  for (auto& helper : helpers) {
    helper.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

} // namespace pyro::seed
