// C15. Control groups: release agents, devices, leaving the group.
#include "attack.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

/// The files of this name up to three levels below /sys/fs/cgroup.
void find(const std::string& directory, const std::string& name, int depth, std::vector<std::string>& found) {
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) {
    return;
  }
  while (const auto* entry = ::readdir(handle)) {
    const std::string each = entry->d_name;
    if (each == name) {
      found.push_back(directory + "/" + each);
    } else if (each[0] != '.' && entry->d_type == DT_DIR && depth > 0) {
      find(directory + "/" + each, name, depth - 1, found);
    }
  }
  ::closedir(handle);
}

} // namespace

int main() {
  for (const char* name :
       {"release_agent", "notify_on_release", "devices.allow", "cgroup.procs", "tasks",
        "cgroup.subtree_control", "memory.max", "memory.limit_in_bytes", "pids.max", "cgroup.kill",
        "cgroup.freeze"}) {
    std::vector<std::string> found;
    find("/sys/fs/cgroup", name, 3, found);
    if (found.empty()) {
      attack::blocked(std::string("cgroup.") + name, "no such file is visible");
      continue;
    }
    bool opened = false;
    std::string detail;
    for (const auto& path : found) {
      const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      detail = path + " " + (file < 0 ? attack::error_name(errno) : "opened");
      if (file >= 0) {
        ::close(file);
        opened = true;
        break;
      }
    }
    attack::holds(std::string("cgroup.") + name, !opened, detail);
  }
  ::mkdir("/tmp/cg", 0700);
  attack::refused(
      "cgroup.mount_v1", ::mount("none", "/tmp/cg", "cgroup", 0, "rdma"), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "cgroup.mount_v2", ::mount("none", "/tmp/cg", "cgroup2", 0, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused("cgroup.mkdir", ::mkdir("/sys/fs/cgroup/escape", 0700), {EPERM, EACCES, EROFS, ENOENT});
  return attack::done();
}
