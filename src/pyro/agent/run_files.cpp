#include "run_files.hpp"

#include "tmpfiles.hpp"
#include "users.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr std::size_t k_largest_file = 64 << 10;
constexpr std::size_t k_most_files = 512;
constexpr std::size_t k_most_entries = 1024;

/// From the weakest on: a file hides those of the same name before it.
constexpr std::array k_directories{"/usr/lib/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/etc/tmpfiles.d"};

/// What is no regular file (a link to /dev/null, say) says nothing, and hides the others all the same.
std::string content_of(int directory, const std::string& name) {
  const auto file = os::maybe_open_beneath(directory, name, O_RDONLY | O_NONBLOCK);

  struct stat status {};

  const bool is_file = file && ::fstat(file->get(), &status) == 0 && S_ISREG(status.st_mode);
  return is_file && status.st_size <= static_cast<off_t>(k_largest_file)
             ? os::read_all(file->get(), k_largest_file)
             : std::string();
}

/// By path, so that directories come before what is in them; what is said first of a path counts.
std::map<std::string, RunFile> wanted_files() {
  std::map<std::string, std::string> texts; // by the name of their file
  for (const auto* path : k_directories) {
    const auto directory = os::maybe_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!directory) {
      continue;
    }
    for (const auto& name : os::list_any_directory(path)) {
      if (name.ends_with(".conf") && texts.size() < k_most_files) {
        texts[name] = content_of(directory->get(), name);
      }
    }
  }
  std::map<std::string, RunFile> files;
  for (const auto& [name, text] : texts) {
    for (auto& file : run_files_in(text)) {
      if (files.size() < k_most_entries) {
        auto path = file.path;
        files.try_emplace(std::move(path), std::move(file));
      }
    }
  }
  return files;
}

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

Owner owner_of(const RunFile& file, const UserDatabase& users) {
  Owner owner;
  if (!file.user.empty()) {
    owner.uid = resolve_user(file.user, users).uid;
  }
  if (!file.group.empty()) {
    owner.gid = resolve_user("0:" + file.group, users).gid;
  }
  return owner;
}

os::Fd open_directory(int parent, const std::string& name, const std::string& path) {
  auto directory = os::maybe_open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
  if (!directory) {
    throw Error(ErrorCode::bad_state, "/run/{} is no directory", path);
  }
  return std::move(*directory);
}

/// Directories above it that nobody described are root's.
os::Fd open_parent(int run, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto above = path.substr(0, slash);
    if (os::maybe_open_beneath(run, above, O_PATH | O_DIRECTORY)) {
      continue;
    }
    if (::mkdirat(run, above.c_str(), 0755) < 0) {
      throw Error::from_errno(errno, fmt::format("make /run/{}", above));
    }
  }
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? os::duplicate(run)
                                    : open_directory(run, path.substr(0, slash), path.substr(0, slash));
}

void set_look(int fd, const RunFile& file, const Owner& owner, mode_t otherwise) {
  if (::fchown(fd, owner.uid, owner.gid) < 0 || ::fchmod(fd, file.mode.value_or(otherwise)) < 0) {
    throw Error::from_errno(errno, fmt::format("give /run/{} its owner", file.path));
  }
}

void make(int run, const RunFile& file, const UserDatabase& users) {
  const auto owner = owner_of(file, users);
  const auto parent = open_parent(run, file.path);
  const auto name = file.path.substr(file.path.rfind('/') + 1);
  const auto fail = [&] {
    throw Error::from_errno(errno, fmt::format("make /run/{}", file.path));
  };
  switch (file.kind) {
  case RunFile::Kind::directory:
    if (::mkdirat(parent.get(), name.c_str(), 0700) < 0 && errno != EEXIST) {
      fail();
    }
    set_look(open_directory(parent.get(), name, file.path).get(), file, owner, 0755);
    break;
  case RunFile::Kind::file: {
    const auto made = os::open_at(parent.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    os::write_all(made.get(), file.argument);
    set_look(made.get(), file, owner, 0644);
    break;
  }
  case RunFile::Kind::link:
    if (::symlinkat(file.argument.c_str(), parent.get(), name.c_str()) < 0 && errno != EEXIST) {
      fail();
    }
    break;
  }
}

} // namespace

void make_run_files() noexcept {
  try {
    const auto files = wanted_files();
    const auto users = files.empty() ? UserDatabase{} : UserDatabase::read();
    const auto run = os::open_file("/run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (const auto& [path, file] : files) {
      try {
        make(run.get(), file, users);
      } catch (const Error& error) {
        std::fprintf(stderr, "pyro-agent: tmpfiles.d: %s\n", error.what());
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-agent: tmpfiles.d: %s\n", error.what());
  }
}

} // namespace pyro::agent
