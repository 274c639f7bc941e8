// fake-firecracker-jailer: does what Firecracker's docs/jailer.md says of the jailer, as far as it concerns
// the one who calls it: checks its options, builds the jail, gives up its rights, executes Firecracker in
// there.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <map>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "fake jailer: %s\n", why.c_str());
  std::exit(1);
}

void require(bool fine, const std::string& what) {
  if (!fine) {
    refuse(what + ": " + std::strerror(errno));
  }
}

struct Options {
  std::map<std::string, std::string> single;
  std::vector<std::string> limits;
  std::vector<std::string> forwarded;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--") {
      options.forwarded.assign(argv + i + 1, argv + argc);
      break;
    }
    if (i + 1 >= argc) {
      refuse(name + " lacks its value");
    }
    const std::string value = argv[++i];
    if (name == "--resource-limit") {
      options.limits.push_back(value);
    } else if (
        name == "--id" || name == "--exec-file" || name == "--uid" || name == "--gid"
        || name == "--chroot-base-dir" || name == "--netns") {
      if (!options.single.emplace(name, value).second) {
        refuse(name + " was given twice");
      }
    } else {
      refuse("unknown option " + name);
    }
  }
  for (const auto* name : {"--id", "--exec-file", "--uid", "--gid"}) {
    if (!options.single.contains(name)) {
      refuse(std::string(name) + " is missing");
    }
  }
  return options;
}

void check(Options& options) {
  const auto& id = options.single["--id"];
  for (const unsigned char letter : id) {
    if (!std::isalnum(letter) && letter != '-') {
      refuse("Invalid char in instance ID");
    }
  }
  if (id.empty() || id.size() > 64) {
    refuse("Invalid instance ID length");
  }
  const fs::path program = options.single["--exec-file"];
  if (program.filename().string().find("firecracker") == std::string::npos || !fs::is_regular_file(program)) {
    refuse("the file name of the program must contain firecracker");
  }
  options.single.emplace("--chroot-base-dir", "/srv/jailer");
}

void set_limits(const Options& options) {
  rlimit files{2048, 2048};
  for (const auto& limit : options.limits) {
    const auto equals = limit.find('=');
    const auto value = std::stoull(limit.substr(equals + 1));
    const rlimit both{value, value};
    if (limit.starts_with("no-file=")) {
      files = both;
    } else if (limit.starts_with("fsize=")) {
      require(::setrlimit(RLIMIT_FSIZE, &both) == 0, "fsize");
    } else {
      refuse("unknown limit " + limit);
    }
  }
  require(::setrlimit(RLIMIT_NOFILE, &files) == 0, "no-file");
}

void enter(const fs::path& root) {
  require(::unshare(CLONE_NEWNS) == 0, "unshare");
  require(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "private");
  require(::mount(root.c_str(), root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0, "bind");
  require(::chdir(root.c_str()) == 0 && ::mkdir("old_root", 0700) == 0, "old_root");

  require(::syscall(SYS_pivot_root, ".", "old_root") == 0, "pivot_root");
  require(::chdir("/") == 0 && ::umount2("old_root", MNT_DETACH) == 0 && ::rmdir("old_root") == 0, "leave");
  require(::chroot(".") == 0, "chroot");
}

} // namespace

int main(int argc, char** argv) {
  auto options = parse(argc, argv);
  check(options);
  ::close_range(3, ~0U, 0);
  ::clearenv();
  const auto uid = static_cast<uid_t>(std::stoul(options.single["--uid"]));
  const auto gid = static_cast<gid_t>(std::stoul(options.single["--gid"]));
  const fs::path program = options.single["--exec-file"];
  const auto name = program.filename().string();
  const auto root = fs::path(options.single["--chroot-base-dir"]) / name / options.single["--id"] / "root";
  fs::create_directories(root);
  fs::copy_file(program, root / name, fs::copy_options::overwrite_existing);
  set_limits(options);
  const int netns = options.single.contains("--netns")
                        ? ::open(options.single["--netns"].c_str(), O_RDONLY | O_CLOEXEC)
                        : -1;
  enter(root);
  for (const auto* directory : {"/", "/dev", "/dev/net", "/run"}) {
    require(::mkdir(directory, 0700) == 0 || errno == EEXIST, directory);
    require(::chmod(directory, 0700) == 0 && ::chown(directory, uid, gid) == 0, directory);
  }
  require(::mknod("/dev/net/tun", S_IFCHR | 0600, ::makedev(10, 200)) == 0, "/dev/net/tun");
  require(::mknod("/dev/kvm", S_IFCHR | 0600, ::makedev(10, 232)) == 0, "/dev/kvm");
  require(::chown("/dev/net/tun", uid, gid) == 0 && ::chown("/dev/kvm", uid, gid) == 0, "devices");
  require(netns < 0 || ::setns(netns, CLONE_NEWNET) == 0, "netns");
  require(
      ::setgroups(0, nullptr) == 0 && ::setresgid(gid, gid, gid) == 0 && ::setresuid(uid, uid, uid) == 0,
      "user");
  std::vector<std::string> arguments{"/" + name, "--id", options.single["--id"]};
  arguments.insert(arguments.end(), options.forwarded.begin(), options.forwarded.end());
  std::vector<char*> pointers;
  for (auto& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  refuse(std::string("exec: ") + std::strerror(errno));
}
