#include "restrictions.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/mount_table.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace pyro::backend::namespaces {

namespace {

/// The value of "kernel.name"; nullopt where this kernel has none of that name.
std::optional<std::string> sysctl(const std::string& root, std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  auto text = os::maybe_read_file(root + "/proc/sys/" + name, 256);
  if (text && text->ends_with('\n')) {
    text->pop_back();
  }
  return text;
}

std::string sysctl_remedy(const std::string& assignment) {
  return fmt::format("as root: sysctl -w {0}; to keep it: echo {0} > /etc/sysctl.d/60-pyro.conf", assignment);
}

/// Ours says 0, and has a file of the sandbox's where no other container does.
bool is_inside_pyro(const std::string& root) {
  return os::exists(root + "/run/pyro/machine-id") || os::exists(root + "/run/pyro/hosts");
}

Check apparmor_check(const Tried& tried, const std::string& root) {
  constexpr const char* k_name = "kernel.apparmor_restrict_unprivileged_userns";
  if (sysctl(root, k_name).value_or("0") == "0") {
    return {"apparmor", "ok", "AppArmor does not restrict user namespaces", ""};
  }
  if (!tried.user_namespace) {
    return {"apparmor", "ok", fmt::format("{} is on, and pyro may make user namespaces", k_name), ""};
  }
  return {
      "apparmor", "error",
      fmt::format(
          "{} is on: only programs with a profile may make user namespaces, and this pyro has none", k_name),
      "install pyro as a package (`make package`), which brings the profile; for pyro below another prefix, "
      "as root: "
      "sed 's|^@{pyro}=.*|@{pyro}=PREFIX|' PREFIX/share/pyro/apparmor/pyro > /etc/apparmor.d/pyro && "
      "apparmor_parser -r /etc/apparmor.d/pyro"};
}

Check clone_check(const Tried& tried, const std::string& root) {
  constexpr const char* k_name = "kernel.unprivileged_userns_clone";
  const auto value = sysctl(root, k_name);
  if (value.value_or("1") != "0") {
    return {
        "userns-clone", "ok",
        value ? fmt::format("{} is {}", k_name, *value) : fmt::format("this kernel has no {}", k_name), ""};
  }
  if (!tried.user_namespace) {
    return {"userns-clone", "ok", fmt::format("{} is 0, which does not hold for root", k_name), ""};
  }
  return {
      "userns-clone", "error", fmt::format("{} is 0: only root may make user namespaces", k_name),
      sysctl_remedy(fmt::format("{}=1", k_name))};
}

Check count_check(const Tried& tried, const std::string& root) {
  constexpr const char* k_name = "user.max_user_namespaces";
  const auto value = sysctl(root, k_name);
  const auto said = fmt::format("{} is {}", k_name, value.value_or("not there"));
  if (!tried.user_namespace) {
    return {"max-user-namespaces", "ok", said, ""};
  }
  if (value == "0" && is_inside_pyro(root)) {
    return {
        "max-user-namespaces", "error",
        "this is a pyro workspace in namespaces, whose programs make no user namespaces: no pyro works in it",
        "in the pyro.yaml of the outer workspace: isolation: vm; in its guest pyro works, with "
        "PYRO_HOME=/dev/shm/pyro"};
  }
  if (value == "0") {
    return {
        "max-user-namespaces", "error", said + ": nobody may make user namespaces",
        sysctl_remedy(fmt::format("{}=15000", k_name))};
  }
  if (tried.user_namespace->find(std::strerror(ENOSPC)) != std::string::npos) {
    return {
        "max-user-namespaces", "error", said + ", and as many are in use",
        sysctl_remedy(fmt::format("{}=60000", k_name))};
  }
  return {"max-user-namespaces", "ok", said, ""};
}

/// `known`: another reason was found already.
Check seccomp_check(const Tried& tried, const std::string& root, bool known) {
  const auto status = os::maybe_read_file(root + "/proc/self/status", 64 << 10).value_or("");
  const bool filtered = status.find("\nSeccomp:\t2\n") != std::string::npos;
  if (!filtered) {
    return {"seccomp", "ok", "pyro runs under no seccomp filter", ""};
  }
  if (tried.hostname) {
    return {
        "seccomp", "note",
        "the seccomp filter that pyro runs under refuses sethostname(2): sandboxes have the host name of "
        "this container",
        "podman run --security-opt seccomp=unconfined"};
  }
  if (!tried.user_namespace || known) {
    return {
        "seccomp", "ok",
        tried.user_namespace ? "pyro runs under a seccomp filter"
                             : "pyro runs under a seccomp filter that lets it make user namespaces",
        ""};
  }
  return {
      "seccomp", "error",
      "the seccomp filter that pyro runs under, as containers have, refuses user namespaces",
      "podman or docker run --security-opt seccomp=unconfined; Kubernetes: "
      "securityContext.seccompProfile.type: "
      "Unconfined"};
}

std::vector<os::MountEntry> mounts_of(const std::string& root) {
  return os::mount_entries(os::maybe_read_file(root + "/proc/self/mountinfo", 16 << 20).value_or(""));
}

/// Mount points below /proc: what hides parts of it.
std::string covers_of_proc(const std::string& root) {
  std::string covers;
  for (const auto& mount : mounts_of(root)) {
    if (is_below(mount.point, "/proc")) {
      covers += (covers.empty() ? "" : ", ") + mount.point;
    }
  }
  return covers;
}

Check proc_check(const Tried& tried, const std::string& root) {
  if (tried.user_namespace) {
    return {
        "proc", "note", "whether sandboxes can have a /proc was not tried: there are no user namespaces", ""};
  }
  if (!tried.proc) {
    return {"proc", "ok", "sandboxes can have a /proc of their own", ""};
  }
  const auto covers = covers_of_proc(root);
  if (covers.empty()) {
    return {"proc", "error", "sandboxes cannot have a /proc of their own: " + *tried.proc, ""};
  }
  return {
      "proc", "error",
      fmt::format(
          "sandboxes cannot have a /proc of their own, since parts of this one are covered: {}", covers),
      "podman run --security-opt unmask=/proc/*; docker run --security-opt systempaths=unconfined; "
      "Kubernetes: "
      "securityContext.procMount: Unmasked; elsewhere, as root: umount what is mounted there"};
}

Check tun_check(const std::string& root) {
  const auto path = root + "/dev/net/tun";
  const os::Fd device(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (device) {
    return {"tun", "ok", "/dev/net/tun can be opened", ""};
  }
  const int number = errno;
  if (number == EACCES || number == EPERM) {
    return {
        "tun", "warning", "/dev/net/tun is not open to this user: sandboxes have no way to the network",
        "as root: chmod 0666 /dev/net/tun (udev does so by itself)"};
  }
  return {
      "tun", "warning",
      fmt::format("/dev/net/tun: {}: sandboxes have no way to the network", std::strerror(number)),
      "podman or docker run --device /dev/net/tun; on a machine, as root: modprobe tun"};
}

} // namespace

std::vector<Check> restriction_checks(const Tried& tried, const std::string& root) {
  std::vector<Check> checks{apparmor_check(tried, root), clone_check(tried, root), count_check(tried, root)};
  const bool known =
      std::any_of(checks.begin(), checks.end(), [](const Check& check) { return check.level == "error"; });
  checks.push_back(seccomp_check(tried, root, known));
  checks.push_back(proc_check(tried, root));
  checks.push_back(tun_check(root));
  return checks;
}

std::string remedy_of_limits(Root is_root, const std::string& root) {
  const std::string groups = "/sys/fs/cgroup";
  std::string options;
  for (const auto& mount : mounts_of(root)) {
    if (mount.point == groups) {
      options = mount.options + ","; // the last one covers those before it
    }
  }
  if (options.starts_with("ro,")) {
    return "podman run --security-opt unmask=/sys/fs/cgroup; docker run --privileged";
  }
  const auto offered = os::maybe_read_file(root + groups + "/cgroup.controllers", 4096).value_or("");
  if (is_root == Root::yes && offered.find("memory") != std::string::npos) {
    // Of a container's own group: controllers are passed on only by a group that no process is in.
    return "mkdir -p /sys/fs/cgroup/init && xargs -rn1 < /sys/fs/cgroup/cgroup.procs > "
           "/sys/fs/cgroup/init/cgroup.procs";
  }
  return is_root == Root::yes
             ? "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1)"
             : "run below a delegated cgroup: systemd-run --user --scope -p Delegate=yes pyro ...";
}

} // namespace pyro::backend::namespaces
