#include "run_skeleton.hpp"

#include "directory.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr int k_most_entries = 512;
constexpr int k_deepest = 8;

class Skeleton {
public:
  void copy(int from, int to, int depth) {
    Fd listed(::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!listed) {
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(listed.get()), ::closedir);
    if (!stream) {
      return;
    }
    listed.release();
    while (const dirent* entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      const bool is_ours = depth == 0 && (name == "secrets" || name == "pyro");
      if (name != "." && name != ".." && !is_ours && ++m_entries <= k_most_entries) {
        copy_entry(from, to, name, depth);
      }
    }
  }

private:
  void copy_entry(int from, int to, const std::string& name, int depth) {
    struct stat status {};

    if (::fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return;
    }
    if (S_ISLNK(status.st_mode)) {
      std::array<char, 4096> target{};
      const auto length = ::readlinkat(from, name.c_str(), target.data(), target.size() - 1);
      if (length > 0) {
        std::ignore = ::symlinkat(target.data(), to, name.c_str());
      }
    } else if (S_ISDIR(status.st_mode) && depth < k_deepest) {
      copy_directory(from, to, name, status, depth);
    }
  }

  void copy_directory(int from, int to, const std::string& name, const struct stat& status, int depth) {
    const bool is_new = ::mkdirat(to, name.c_str(), 0700) == 0;
    const auto source = maybe_open_beneath(from, name, O_RDONLY | O_DIRECTORY);
    const auto target = maybe_open_beneath(to, name, O_RDONLY | O_DIRECTORY);
    if (!source || !target) {
      return;
    }
    if (is_new && ::fchown(target->get(), status.st_uid, status.st_gid) == 0) {
      std::ignore = ::fchmod(target->get(), status.st_mode & 07777);
    }
    copy(source->get(), target->get(), depth + 1);
  }

  int m_entries = 0;
};

} // namespace

void copy_run_skeleton(int from, int to) {
  Skeleton().copy(from, to, 0);
}

} // namespace pyro::os
