// Fills the disk of the host from inside, each time in another way. Writes until it is stopped, or, where
// nobody stops it, 3 GiB: then the attack has succeeded. Usage: attack_disk MODE, in a writable directory.
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t k_part = 1 << 20;
constexpr off_t k_all = 3LL << 30;

void die(const char* what) {
  std::printf("missing %s: %s\n", what, std::strerror(errno));
  std::exit(2);
}

int open_new(const char* name) {
  const int fd = ::open(name, O_RDWR | O_CREAT, 0600);
  if (fd < 0) {
    die("a file");
  }
  return fd;
}

void write_all_of_it(int fd, off_t begin) {
  const std::vector<char> part(k_part, 'x');
  for (off_t at = 0; at < k_all; at += static_cast<off_t>(part.size())) {
    if (::pwrite(fd, part.data(), part.size(), begin + at) < 0) {
      die("room");
    }
  }
}

void plainly() {
  write_all_of_it(open_new("plain"), 0);
}

void beyond_a_hole() {
  write_all_of_it(open_new("sparse"), 1LL << 36);
}

/// In no directory: only the open file holds it.
void without_a_name() {
  const int fd = open_new("deleted");
  ::unlink("deleted");
  write_all_of_it(fd, 0);
}

/// Not even open: only the mapping holds it.
void mapped_without_a_name() {
  for (off_t at = 0; at < k_all; at += 256 << 20) {
    const int fd = open_new("mapped");
    ::unlink("mapped");
    if (::ftruncate(fd, 256 << 20) < 0) {
      die("a larger file");
    }
    auto* memory = static_cast<char*>(::mmap(nullptr, 256 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
    for (std::size_t page = 0; page < 256 << 20; page += 4096) {
      memory[page] = 'x';
    }
  }
}

void mapped() {
  const int fd = open_new("mapped");
  if (::ftruncate(fd, k_all) < 0) {
    die("a larger file");
  }
  auto* memory = static_cast<char*>(::mmap(nullptr, k_all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  for (std::size_t page = 0; page < static_cast<std::size_t>(k_all); page += 4096) {
    memory[page] = 'x';
  }
}

void in_small_files() {
  for (int i = 0; i < static_cast<int>(k_all / 4096); ++i) {
    const int fd = open_new(("f" + std::to_string(i)).c_str());
    if (::write(fd, "x", 1) != 1) {
      die("room");
    }
    ::close(fd);
  }
}

/// Each costs an inode and no block.
void in_empty_files() {
  for (int i = 0; i < 1'000'000; ++i) {
    ::close(open_new(("e" + std::to_string(i)).c_str()));
  }
}

void by_many() {
  constexpr int k_many = 8;
  for (int i = 0; i < k_many; ++i) {
    if (::fork() == 0) {
      ::setsid();
      write_all_of_it(open_new(("many" + std::to_string(i)).c_str()), 0);
      ::_exit(0);
    }
  }
  int refused = 0;
  for (int status = 0; ::wait(&status) > 0;) {
    refused += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
  }
  if (refused == k_many) {
    std::exit(2);
  }
}

/// Files that belong to no project, or to another one, are held to no limit or to somebody else's.
void by_leaving_the_project() {
  const auto tried = [](const char* what, bool is_done) {
    std::printf("%s: %s: %s\n", what, is_done ? "SUCCEEDED" : "blocked", std::strerror(errno));
    if (is_done) {
      std::exit(3);
    }
  };
  ::mkdir("directory", 0700);
  for (const char* name : {"directory", "file"}) {
    const int fd = std::strcmp(name, "file") == 0 ? open_new(name) : ::open(name, O_RDONLY | O_DIRECTORY);
    fsxattr before{};
    if (::ioctl(fd, FS_IOC_FSGETXATTR, &before) < 0 || before.fsx_projid == 0) {
      std::printf("missing a project: %u, %s\n", before.fsx_projid, std::strerror(errno));
      std::exit(2);
    }
    for (const unsigned project : {0U, before.fsx_projid + 1}) {
      auto other = before;
      other.fsx_projid = project;
      tried("another project", ::ioctl(fd, FS_IOC_FSSETXATTR, &other) == 0);
    }
    auto alone = before;
    alone.fsx_xflags ^= FS_XFLAG_PROJINHERIT;
    tried("another heritage", ::ioctl(fd, FS_IOC_FSSETXATTR, &alone) == 0);
    int flags = 0;
    if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
      flags ^= FS_PROJINHERIT_FL;
      tried("another heritage, by its flags", ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
    }
  }
  if_dqblk none{};
  none.dqb_valid = QIF_LIMITS;
  const int here = ::open(".", O_RDONLY | O_DIRECTORY);
  fsxattr own{};
  std::ignore = ::ioctl(here, FS_IOC_FSGETXATTR, &own);
  tried(
      "no limits", ::syscall(SYS_quotactl_fd, here, QCMD(Q_SETQUOTA, PRJQUOTA), own.fsx_projid, &none) == 0);
  tried("no quota", ::syscall(SYS_quotactl_fd, here, QCMD(Q_QUOTAOFF, PRJQUOTA), 0, nullptr) == 0);
  std::exit(0);
}

/// At once, before anybody could look. Every mode that takes room must be refused.
void at_once() {
  for (const int mode :
       {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE}) {
    const int fd = open_new("allocated");
    if (::fallocate(fd, mode, 0, k_all) == 0) {
      std::printf("fallocate: SUCCEEDED mode %d\n", mode);
      std::exit(3);
    }
    std::printf("fallocate: blocked mode %d: %s\n", mode, std::strerror(errno));
  }
  const int fd = open_new("hole");
  if (::ftruncate(fd, 1 << 20) < 0
      || ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20) < 0) {
    die("a way to give room back");
  }
  if (const int error = ::posix_fallocate(fd, 0, 1 << 20); error != 0) {
    errno = error;
    die("posix_fallocate, which writes instead");
  }
  std::exit(0);
}

struct Way {
  const char* name;
  void (*run)();
};

constexpr std::array k_ways{
    Way{"plain", plainly},
    Way{"sparse", beyond_a_hole},
    Way{"deleted", without_a_name},
    Way{"mapped", mapped},
    Way{"mapped-deleted", mapped_without_a_name},
    Way{"small", in_small_files},
    Way{"empty", in_empty_files},
    Way{"many", by_many},
    Way{"project", by_leaving_the_project},
    Way{"fallocate", at_once}};

} // namespace

int main(int argc, char** argv) {
  for (const auto& way : k_ways) {
    if (argc == 2 && std::strcmp(argv[1], way.name) == 0) {
      way.run();
      std::printf("disk: SUCCEEDED %s\n", way.name);
      return 3;
    }
  }
  return 64;
}
