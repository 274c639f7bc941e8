#include "probe.hpp"

#include "restrictions.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/random.hpp>

#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

/// Runs `attempt` in a child with its own user and mount namespaces; nullopt: it worked, else why not.
std::optional<std::string> try_in_child(const std::function<void()>& attempt) {
  auto report = os::make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    std::string text = "ok";
    try {
      attempt();
    } catch (const Error& error) {
      text = error.what();
    }
    os::write_all(report.write_end.get(), text);
    ::_exit(0);
  }
  os::Child child(pid);
  report.write_end.reset();
  const auto text = os::read_all(report.read_end.get(), 4096);
  std::ignore = child.wait();
  if (text == "ok") {
    return std::nullopt;
  }
  return text.empty() ? "the attempt was killed" : text;
}

void enter_own_namespaces() {
  const auto uid = ::getuid();
  const auto gid = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
    throw Error::from_errno(errno, "unshare(CLONE_NEWUSER | CLONE_NEWNS)");
  }
  const auto write = [](const char* path, const std::string& text) {
    const auto fd = os::open_file(path, 1);
    os::write_all(fd.get(), text);
  };
  write("/proc/self/setgroups", "deny");
  write("/proc/self/uid_map", fmt::format("0 {} 1", uid));
  write("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

constexpr const char* k_merged = "/tmp/merged";

/// As sandboxes have it: sandbox_root.cpp. The lower layer holds a directory.
void mount_overlay() {
  enter_own_namespaces();
  os::make_all_mounts_private();
  const auto staging = os::make_mount("tmpfs", {}, 0);
  os::attach_mount(staging.get(), "/tmp");
  for (const auto* name : {"/tmp/lower/there", "/tmp/upper", "/tmp/work", k_merged}) {
    os::make_directories(name);
  }
  os::mount_at(
      "pyro", k_merged, "overlay", 0,
      "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,userxattr,index=off,metacopy=off");
}

void rename_directory_of_a_layer() {
  mount_overlay();
  const std::string merged = k_merged;
  if (std::rename((merged + "/there").c_str(), (merged + "/moved").c_str()) < 0) {
    throw Error::from_errno(errno, "rename");
  }
}

Check kernel_check() {
  utsname names{};
  ::uname(&names);
  int major_version = 0;
  int minor_version = 0;
  std::sscanf(names.release, "%d.%d", &major_version, &minor_version);
  const int needed_minor = os::IdSpace::current().kind() == os::IdSpace::Kind::shifted ? 19 : 11;
  const bool ok = major_version > 5 || (major_version == 5 && minor_version >= needed_minor);
  return {
      "kernel", ok ? "ok" : "error", fmt::format("Linux {}", names.release),
      ok ? "" : fmt::format("sandboxes need Linux 5.{} or newer here", needed_minor)};
}

void set_hostname() {
  enter_own_namespaces();
  constexpr std::string_view k_name = "pyro";
  if (::unshare(CLONE_NEWUTS) < 0 || ::sethostname(k_name.data(), k_name.size()) < 0) {
    throw Error::from_errno(errno, "sethostname");
  }
}

/// A new /proc, which the kernel gives where nothing of ours is covered (docs/decisions/0080).
void mount_proc() {
  enter_own_namespaces();
  if (::unshare(CLONE_NEWPID) < 0) {
    throw Error::from_errno(errno, "unshare(CLONE_NEWPID)");
  }
  const auto failure = try_in_child([] { std::ignore = os::make_mount("proc", {}, 0); });
  if (failure) {
    throw Error(ErrorCode::unavailable, "{}", *failure);
  }
}

/// The hint is that of whatever restricts them here.
Check user_namespace_check(
    const std::optional<std::string>& failure, const std::vector<Check>& restrictions) {
  if (!failure) {
    return {"user-namespaces", "ok", "user namespaces work", ""};
  }
  for (const auto& check : restrictions) {
    if (check.level == "error") {
      return {"user-namespaces", "error", fmt::format("{} ({})", check.text, *failure), check.hint};
    }
  }
  return {"user-namespaces", "error", *failure, "a kernel with CONFIG_USER_NS"};
}

constexpr const char* k_not_tried = "not tried: there are no user namespaces";

Check overlay_check(const Tried& tried) {
  if (tried.user_namespace) {
    return {"overlay", "note", k_not_tried, ""};
  }
  const auto failure = try_in_child(mount_overlay);
  if (!failure) {
    return {"overlay", "ok", "overlayfs works inside a user namespace", ""};
  }
  return {"overlay", "error", *failure, "load the module `overlay` (modprobe overlay)"};
}

/// The kernel records such a rename for the administrator of the machine alone (docs/decisions/0050).
Check rename_check(const Tried& tried) {
  if (tried.user_namespace) {
    return {"renames", "note", k_not_tried, ""};
  }
  if (!try_in_child(rename_directory_of_a_layer)) {
    return {"renames", "ok", "directories of the seed and the environment can be renamed in place", ""};
  }
  return {
      "renames", "note",
      "rename(2) of a directory that came with the seed or the environment fails inside with EXDEV, as "
      "between file "
      "systems: mv copies and removes it, `git mv` and os.rename() give up",
      "inside: `mv a b && git add -A`; after one copy (`cp -a a b && rm -r a`) b can be renamed"};
}

/// As sandboxes have their writable layer, below `directory`.
void mount_upper_in(const std::string& directory) {
  enter_own_namespaces();
  os::make_all_mounts_private();
  for (const auto* name : {"/lower", "/upper", "/work", "/merged"}) {
    os::make_directories(directory + name);
  }
  std::string failure;
  try {
    os::mount_at(
        "pyro", directory + "/merged", "overlay", 0,
        fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work,userxattr,index=off", directory));
    ::umount2((directory + "/merged").c_str(), MNT_DETACH);
  } catch (const Error& error) {
    failure = error.what();
  }
  os::remove_tree(directory); // here, where what the kernel made of it can be removed
  if (!failure.empty()) {
    throw Error(ErrorCode::unavailable, "{}", failure);
  }
}

/// `staging`: the part of the state directory for what is not finished.
Check state_check(const Tried& tried, const std::string& staging) {
  if (tried.user_namespace) {
    return {"state-directory", "note", k_not_tried, ""};
  }
  if (::access(staging.c_str(), W_OK) != 0) {
    return {"state-directory", "note", "not tried: it is not there yet", ""};
  }
  const auto failure = try_in_child(
      [directory = fmt::format("{}/try-{}", staging, os::random_hex(8))] { mount_upper_in(directory); });
  if (!failure) {
    return {"state-directory", "ok", "sandboxes can write to overlays in the state directory", ""};
  }
  if (os::lies_on_overlay(staging)) {
    return {
        "state-directory", "error",
        "the state directory lies on an overlay, as the root of a container does: sandboxes can have no "
        "writable "
        "layer there",
        "a volume for it: podman or docker run -v pyro:/root/.local/state/pyro; or PYRO_HOME: a directory on "
        "another file system, such as the one that the checkout lies on"};
  }
  return {
      "state-directory", "error", "sandboxes can have no writable layer in the state directory: " + *failure,
      "PYRO_HOME: a directory on ext4, xfs, btrfs or tmpfs"};
}

Check ids_check() {
  const auto& space = os::IdSpace::current();
  if (space.own()) {
    const bool many = space.kind() != os::IdSpace::Kind::single;
    return {
        "ids", many ? "note" : "warning",
        fmt::format("{}: sandboxes have {} ids of it", space.shortcoming(), os::last_id(space.uids()) + 1),
        many ? "for ids that are a sandbox's alone: podman run --privileged, with a root that is no overlay"
             : "a container with a range of ids, whose root has CAP_SETUID, CAP_SETGID and CAP_SETFCAP"};
  }
  if (space.kind() != os::IdSpace::Kind::single) {
    return {
        "ids", "ok",
        fmt::format(
            "sandboxes have {} user ids ({})", space.uids().back().count + (space.uids().size() > 1 ? 1 : 0),
            space.kind() == os::IdSpace::Kind::shifted ? "a range of their own" : "from /etc/subuid"),
        ""};
  }
  return {
      "ids", "warning",
      space.shortcoming()
          + "; packages that make users, and services of other users, will fail in setup steps",
      "apt install uidmap, and add `USER:100000:65536` to /etc/subuid and /etc/subgid"};
}

/// Always so: sandboxes cannot make user namespaces, which are half of the ways out of a kernel.
Check nested_check() {
  return {
      "nested", "note",
      "programs inside cannot make user namespaces of their own: bubblewrap, Chrome's and Electron's "
      "sandbox, Nix and "
      "Bazel builds in theirs, and rootless containers fail there (unshare and clone: EPERM)",
      "`isolation: vm` for these; or the program's own switch, such as Chrome's --no-sandbox"};
}

/// Ids that are not mapped own nothing inside, so nobody there may write to this machine's files in place.
Check host_files_check() {
  const auto& space = os::IdSpace::current();
  if (space.kind() == os::IdSpace::Kind::shifted
      || (space.own() && space.kind() != os::IdSpace::Kind::single)) {
    return {"host-files", "ok", "with image: host this machine's files keep their owners inside", ""};
  }
  std::string text = "with image: host this machine's files belong to nobody inside: they can be removed and "
                     "replaced there, not written to in place";
  if (os::IdSpace::current().kind() == os::IdSpace::Kind::single) {
    text += "; and private files below /usr and /opt that belong to you or your groups can be read there, "
            "where they "
            "came after the environment was prepared";
  }
  return {"host-files", "note", text, ""};
}

Check limits_check() {
  const auto& support = os::Cgroup::support();
  if (support.shortcoming.empty()) {
    return {
        "limits", "ok",
        support.unified_limits ? "cgroup v2 limits are enforced" : "cgroup v1 limits are enforced", ""};
  }
  return {
      "limits", "warning", support.shortcoming + "; resources.cpus and memory are not enforced, pids is",
      remedy_of_limits(::geteuid() == 0 ? Root::yes : Root::no)};
}

/// What the kernel counts for each user of the machine is the user's own here, but for sandboxes of root.
Check user_limits_check() {
  if (os::IdSpace::current().kind() == os::IdSpace::Kind::shifted) {
    return {"user-limits", "ok", "what the kernel counts for each user is counted for each sandbox", ""};
  }
  return {
      "user-limits", "note",
      "sandboxes count as you: one can take half of your pending signals, queues and inotify; one that takes "
      "all "
      "of your epoll watches or inotify is ended within seconds",
      os::IdSpace::current().own() ? "" : "where that matters, run pyro as root"};
}

Check freeze_check() {
  if (!os::Cgroup::support().unified.empty()) {
    return {"freeze", "ok", "live snapshots freeze the sandbox by cgroup", ""};
  }
  return {
      "freeze", "note",
      "no cgroup v2 directory: live snapshots stop the processes by SIGSTOP, which they can notice", ""};
}

Check egress_check() {
  if (!os::find_program("pasta")) {
    return {
        "egress", "warning",
        "pasta is not installed: sandboxes have no way to the network, so steps that download fail",
        "apt install passt"};
  }
  return {"egress", "ok", "network access through pasta", ""};
}

} // namespace

std::vector<Check> probe_machine(const std::string& staging) {
  Tried tried{.user_namespace = try_in_child(enter_own_namespaces)};
  if (!tried.user_namespace) {
    tried.hostname = try_in_child(set_hostname);
    tried.proc = try_in_child(mount_proc);
  }
  auto restrictions = restriction_checks(tried);
  std::vector<Check> checks{kernel_check(), user_namespace_check(tried.user_namespace, restrictions)};
  std::move(restrictions.begin(), restrictions.end(), std::back_inserter(checks));
  for (const auto& check :
       {overlay_check(tried), rename_check(tried), state_check(tried, staging), ids_check(), limits_check(),
        freeze_check(), egress_check(), nested_check(), host_files_check(), user_limits_check()}) {
    checks.push_back(check);
  }
  return checks;
}

bool can_connect_to_network() {
  return os::find_program("pasta").has_value();
}

} // namespace pyro::backend::namespaces
