// What is mounted where, as the kernel tells it (/proc/PID/mountinfo, proc(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

struct MountEntry {
  std::string point;         // absolute; without the kernel's escapes
  std::string options;       // of this mount: "ro,nosuid"
  std::string type;          // of the file system
  std::string super_options; // of the file system
};

/// In the order in which they were mounted: of two at one point the later one is seen. Lines that are none
/// are left out.
std::vector<MountEntry> mount_entries(std::string_view mountinfo);

/// Of this process.
std::vector<MountEntry> mount_entries();

} // namespace pyro::os
