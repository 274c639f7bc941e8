#include "image_builder.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/environment/tool.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_usage.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::guest_images {

namespace {

using namespace std::chrono_literals;

constexpr auto k_image_patience = 30min;
constexpr off_t k_block = 4096;

/// mkfs.erofs stamps the image with this time and lowers later file times to it: the last second of 9999, so
/// that file times stay what they are.
constexpr const char* k_latest_time = "253402300799";

/// The greatest tolerance: mkfs.erofs looks for attributes to share in excluded directories as well.
constexpr const char* k_no_shared_attributes = "2147483647";

std::string uuid_of(const HexDigest& key) {
  return fmt::format(
      "{}-{}-{}-{}-{}", key.substr(0, 8), key.substr(8, 4), key.substr(12, 4), key.substr(16, 4),
      key.substr(20, 12));
}

/// Makes `command` run as an id that owns nothing, is in no group and can do nothing: the kernel refuses it
/// what became private since the tree was looked at.
void run_as_stranger(os::Command& command) {
  const auto id = std::to_string(os::IdSpace::current().uids().front().outside);
  std::vector<std::string> argv{
      environment::required_program(
          "setpriv", "util-linux", "making the image of a directory of this machine"),
      "--reuid=" + id,
      "--regid=" + id,
      "--clear-groups",
      "--inh-caps=-all",
      "--no-new-privs",
      "--pdeathsig=KILL",
      "--"};
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(argv);
}

bool is_for_stranger(const ImageSource& source) {
  return source.public_only && os::IdSpace::current().kind() == os::IdSpace::Kind::shifted;
}

/// A new file, which the stranger may write to where it is the one who does.
os::Fd new_image(const ImageSource& source, const std::string& image) {
  auto file = os::open_file(image, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  const auto& space = os::IdSpace::current();
  if (is_for_stranger(source)
      && ::fchown(file.get(), space.uids().front().outside, space.gids().front().outside) < 0) {
    throw Error::from_errno(errno, fmt::format("chown {}", image));
  }
  return file;
}

constexpr int k_image_number = 3;

os::Command mkfs_command(const ImageSource& source) {
  const auto image = fmt::format("/proc/self/fd/{}", k_image_number);
  os::Command command;
  command.argv = {
      environment::required_program("mkfs.erofs", "erofs-utils", "making the image of a layer"),
      "--quiet",
      "-x",
      k_no_shared_attributes,
      "-U",
      uuid_of(source.key)};
  if (source.owned_by_root) {
    command.argv.emplace_back("--all-root");
  }
  for (const auto& path : source.excluded) {
    command.argv.push_back("--exclude-path=" + path);
  }
  command.argv.insert(command.argv.end(), {image, source.tree});
  command.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"SOURCE_DATE_EPOCH", k_latest_time}};
  command.die_with_parent = true;
  if (is_for_stranger(source)) {
    run_as_stranger(command);
  }
  return command;
}

/// Read-only for everybody, who QEMU runs as included; the directories above are private.
void finish_image(const std::string& image) {
  const auto file = os::open_file(image, O_RDWR);

  struct stat status {};

  if (::fstat(file.get(), &status) < 0 || ::fchown(file.get(), ::getuid(), ::getgid()) < 0
      || ::ftruncate(file.get(), (status.st_size + k_block - 1) / k_block * k_block) < 0
      || ::fchmod(file.get(), 0444) < 0 || ::fsync(file.get()) < 0) {
    throw Error::from_errno(errno, fmt::format("finish the image {}", image));
  }
}

Error disk_full(const ImageSource& source, const std::string& directory) {
  return Error(ErrorCode::disk_full, "no space left for the image of {} in {}", source.what, directory)
      .with_hint(fmt::format(
          "it needs about {}; `pyro prune` removes what nothing needs any more",
          format_bytes(source.expected_bytes)));
}

void make_image(const ImageSource& source, const std::string& image, const std::string& directory) {
  const auto command = mkfs_command(source);
  const auto [result, last_lines] = environment::follow_work(
      [&](int output, int stop) -> Json {
        const auto null = os::open_file("/dev/null", O_RDONLY);
        return os::IdSpace::current().run([&]() -> Json {
          auto mkfs = command;
          const auto file = new_image(source, image);
          mkfs.fds = {{0, null.get()}, {1, output}, {2, output}, {k_image_number, file.get()}};
          const auto outcome = environment::run_until_asked_to_stop(std::move(mkfs), stop);
          if (outcome.ok()) {
            finish_image(image);
          }
          return {{"ok", outcome.ok()}, {"outcome", os::to_string(outcome)}};
        });
      },
      [](const std::string&) {});
  if (!get_bool(result, "ok")) {
    const bool full = os::free_bytes(directory) < static_cast<std::uint64_t>(k_block) * 16
                      || std::any_of(last_lines.begin(), last_lines.end(), [](const std::string& line) {
                           return line.find("No space left") != std::string::npos;
                         });
    if (full) {
      throw disk_full(source, directory);
    }
    throw Error(ErrorCode::failed, "mkfs.erofs failed for {}: {}", source.what, get_string(result, "outcome"))
        .with_hint(
            source.public_only ? "if a file there was closed to others just now, run the same command again"
                               : "")
        .with_output(last_lines);
  }
}

} // namespace

void build_image(
    const store::Base& base, const ImageSource& source, const std::string& path,
    const environment::EnvironmentProgress& progress) {
  if (os::exists(path)) {
    return;
  }
  const auto directory = base.images();
  store::prepare_private_directory(directory);
  // A few locks for all images: they need never be removed.
  const auto lock_path = fmt::format("{}/{}.lock", directory, source.key.substr(0, 1));
  const os::ExclusiveLock lock(
      lock_path, "image of " + source.what, k_image_patience, [&](const auto& holder) {
        if (progress) {
          progress("note", fmt::format("waiting for {}", holder ? os::to_string(*holder) : "another pyro"));
        }
      });
  if (os::exists(path)) {
    return; // somebody was quicker
  }
  if (os::free_bytes(directory) < source.expected_bytes) {
    throw disk_full(source, directory);
  }
  const auto begin = os::now_monotonic();
  const store::Staging staging(base);
  const auto image = staging.directory() + "/image.erofs";
  make_image(source, image, directory);
  os::crash_point("image.staged");
  if (std::rename(image.c_str(), path.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("rename {} to {}", image, path));
  }
  os::crash_point("image.published");
  os::sync_directory(directory);
  if (progress) {
    progress(
        "note", fmt::format("image of {} in {}", source.what, format_elapsed(os::now_monotonic() - begin)));
  }
}

} // namespace pyro::guest_images
