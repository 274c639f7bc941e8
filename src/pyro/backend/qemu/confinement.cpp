#include "confinement.hpp"

#include <pyro/backend/shared/child_steps.hpp>
#include <pyro/backend/shared/clone_process.hpp>
#include <pyro/backend/shared/privileges.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/network.hpp>
#include <pyro/os/unix_socket.hpp>

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::qemu {

namespace {

/// The program and its libraries.
constexpr std::array k_program_directories{"/usr", "/lib", "/lib64", "/bin", "/etc/alternatives"};
constexpr std::array k_program_files{"/etc/ld.so.cache", "/etc/resolv.conf"};
constexpr std::array k_devices{"/dev/null", "/dev/urandom"};
constexpr const char* k_kvm = "/dev/kvm";

struct Source {
  os::Fd mount; // attached nowhere yet; none for a symlink
  std::string seen;
  std::string link; // what the symlink says
  bool directory = false;
};

bool is_symlink(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

Source take(const std::string& path, const std::string& seen, std::uint64_t attributes) {
  Source source{os::clone_mount(AT_FDCWD, path), seen, "", os::is_directory(path)};
  os::set_mount_attributes(source.mount.get(), attributes);
  return source;
}

/// Opened with the ids of the outside, which alone reach all of it.
std::vector<Source> take_sources(const ConfinedCommand& command) {
  constexpr std::uint64_t k_read_only = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  std::vector<Source> sources;
  for (const std::string path : k_program_directories) {
    if (is_symlink(path)) {
      sources.push_back({{}, path, std::filesystem::read_symlink(path).string()});
    } else if (os::exists(path)) {
      sources.push_back(take(path, path, k_read_only));
    }
  }
  for (const std::string path : k_program_files) {
    if (os::exists(path)) {
      sources.push_back(take(path, path, k_read_only));
    }
  }
  for (const std::string path : k_devices) {
    sources.push_back(take(path, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  }
  if (command.kvm) {
    sources.push_back(take(k_kvm, k_kvm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  }
  for (const auto& file : command.files) {
    const auto attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    sources.push_back(take(file.path, file.seen, attributes | (file.writable ? 0 : MOUNT_ATTR_RDONLY)));
  }
  return sources;
}

void become_inside_root() {
  if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0) {
    throw Error::from_errno(errno, "become root of the user namespace");
  }
}

void die_with(const os::Fd& control) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::array<char, 1> nothing{};
  if (::recv(control.get(), nothing.data(), nothing.size(), MSG_DONTWAIT | MSG_PEEK) == 0) {
    ::_exit(1); // the supervisor died before that
  }
}

void place(const Source& source) {
  const auto path = source.seen.substr(1);
  const auto parent = path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  if (!parent.empty()) {
    os::make_directories(parent, 0755);
  }
  if (!source.mount) {
    if (::symlink(source.link.c_str(), path.c_str()) < 0) {
      throw Error::from_errno(errno, fmt::format("symlink {}", source.seen));
    }
    return;
  }
  if (source.directory) {
    os::make_directories(path, 0755);
  } else {
    os::open_file(path, O_CREAT | O_EXCL | O_WRONLY, 0444).reset();
  }
  os::attach_mount(source.mount.get(), path);
}

void enter_root(const std::vector<Source>& sources) {
  for (const auto& source : sources) {
    place(source);
  }
  os::make_directories("tmp", 0755);
  os::pivot_root_here();
  os::detach_old_root();
  const auto root = os::open_file("/", O_PATH | O_DIRECTORY);
  os::set_mount_attributes(root.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/// Numbers 0 to 2 and those asked for, the report socket above them, nothing else.
int arrange_descriptors(const ConfinedCommand& command, const os::Fd& control) {
  constexpr int k_far = 100;
  const auto nowhere = os::open_file("/dev/null", O_RDWR);
  std::vector<std::pair<int, os::Fd>> wanted;
  wanted.emplace_back(0, os::duplicate(nowhere.get(), k_far));
  wanted.emplace_back(1, os::duplicate(nowhere.get(), k_far));
  int highest = 2;
  for (const auto& [number, ours] : command.fds) {
    wanted.emplace_back(number, os::duplicate(ours, k_far));
    highest = std::max(highest, number);
  }
  const auto far_control = os::duplicate(control.get(), k_far);
  for (const auto& [number, fd] : wanted) {
    if (::dup2(fd.get(), number) < 0) {
      throw Error::from_errno(errno, "dup2");
    }
  }
  const int report = highest + 1;
  if (::dup3(far_control.get(), report, O_CLOEXEC) < 0
      || ::syscall(SYS_close_range, static_cast<unsigned>(report) + 1, ~0U, 0U) < 0) {
    throw Error::from_errno(errno, "close what is not needed");
  }
  for (auto& [number, fd] : wanted) {
    fd.release(); // closed just now
  }
  return report;
}

void await(const os::Fd& control) {
  if (!await_step(control.get())) {
    ::_exit(1); // the supervisor is gone
  }
}

[[noreturn]] void execute(const ConfinedCommand& command, os::Fd& control) {
  const int report = arrange_descriptors(command, control);
  control.release(); // its number may be another's now
  std::vector<char*> argv{const_cast<char*>(command.program.c_str())};
  for (const auto& argument : command.arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  std::array<char*, 1> env{nullptr};
  ::execve(command.program.c_str(), argv.data(), env.data());
  os::send_with_fds(report, to_json(Error::from_errno(errno, "execute " + command.program)).dump(), {});
  ::_exit(1);
}

[[noreturn]] void run_child(const ConfinedCommand& command, os::Fd control) {
  try {
    await(control); // the ids are mapped
    os::make_all_mounts_private();
    const auto sources = take_sources(command);
    const auto staging = os::make_mount(
        "tmpfs", {{"mode", "0755"}, {"uid", "0"}, {"gid", "0"}, {"size", "1m"}}, MOUNT_ATTR_NOSUID);
    os::attach_mount(staging.get(), command.staging);
    if (::fchdir(staging.get()) < 0) {
      throw Error::from_errno(errno, "enter the staging area");
    }
    become_inside_root();
    die_with(control);
    ::umask(022);
    const std::string name = "pyro-vm";
    std::ignore = ::sethostname(name.data(), name.size());
    os::bring_up_loopback();
    enter_root(sources);
    if (command.network != nullptr) {
      await(control);
    }
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    give_up_privileges();
    execute(command, control);
  } catch (const Error& error) {
    os::send_with_fds(control.get(), to_json(error).dump(), {});
  } catch (const std::exception& error) {
    os::send_with_fds(control.get(), to_json(Error(ErrorCode::internal, "{}", error.what())).dump(), {});
  }
  ::_exit(1);
}

/// Root's ids do not go along, but the group that may open the device does: it stays with a process that
/// enters a user namespace.
void join_group_of_kvm() {
  struct stat status {};

  if (::geteuid() == 0 && ::stat(k_kvm, &status) == 0) {
    std::ignore = ::setgroups(1, &status.st_gid);
  }
}

} // namespace

void give_to_confined(int fd) {
  const auto& space = os::IdSpace::current();
  if (space.kind() == os::IdSpace::Kind::shifted
      && ::fchown(fd, space.uids().front().outside, space.gids().front().outside) < 0) {
    throw Error::from_errno(errno, "give a file to the id that QEMU runs as");
  }
}

Confined start_confined(const ConfinedCommand& command, os::Cgroup& cgroup) {
  if (command.kvm) {
    join_group_of_kvm();
  }
  constexpr std::uint64_t k_namespaces =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  std::ignore = os::IdSpace::current(); // found out here: inside the new namespace it would look like root's
  auto [control, child_control] = os::socket_pair();
  bool into_cgroup = false;
  const pid_t pid = clone_process(k_namespaces, cgroup.clone_fd(), into_cgroup);
  if (pid == 0) {
    control.reset();
    run_child(command, std::move(child_control));
  }
  Confined confined;
  confined.process = os::Child(pid);
  child_control.reset();
  cgroup.add(pid, into_cgroup);
  auto namespaces = command.network != nullptr ? open_namespaces(pid) : SandboxNamespaces{};
  os::IdSpace::current().map_process(pid);
  let_go_on(control.get());
  if (command.network != nullptr) {
    confined.way_out = open_way_out(std::move(namespaces), *command.network);
    let_go_on(control.get());
  }
  if (const auto report = report_of_child(control.get()); !report.empty()) {
    throw error_from_json(parse_json(report, "the report of QEMU's first process"));
  }
  return confined;
}

} // namespace pyro::backend::qemu
