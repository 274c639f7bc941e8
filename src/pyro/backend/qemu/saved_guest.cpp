#include "saved_guest.hpp"

#include "arguments.hpp"
#include "confinement.hpp"
#include "process_memory.hpp"
#include "scratch_disk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>

#include <array>
#include <fcntl.h>

namespace pyro::backend::qemu {

namespace {

constexpr std::array k_parts{"memory", "state", "scratch"};

std::string manifest_of(const SavedGuest& saved) {
  return saved.directory + "/template.json";
}

/// What a part is known by. Of the small state every byte is looked at; the others are too large for that on
/// every start. No writer, not even a QEMU that a guest has taken over, can write without the change time
/// telling it.
Json fingerprint(const std::string& path, bool whole) {
  struct stat status {};

  if (::lstat(path.c_str(), &status) < 0) {
    return nullptr;
  }
  Json print{
      {"size", status.st_size},
      {"ctime_ns", status.st_ctim.tv_sec * 1'000'000'000LL + status.st_ctim.tv_nsec},
      {"inode", status.st_ino}};
  if (whole) {
    print["sha256"] = sha256_of(os::read_file(path));
  }
  return print;
}

Json fingerprints(const SavedGuest& made) {
  Json all = Json::object();
  for (const std::string part : k_parts) {
    all[part] = fingerprint(made.directory + "/" + part, part == "state");
  }
  return all;
}

/// The guest goes on when this ends.
class Pause {
public:
  explicit Pause(Qmp& monitor) : m_monitor(monitor) { m_monitor.execute("stop"); }

  ~Pause() {
    try {
      m_monitor.execute("cont");
    } catch (const Error&) {
      // QEMU is gone or answers no more: its supervisor sees the end of the machine.
    }
  }

  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

private:
  Qmp& m_monitor;
};

os::Fd new_file(const std::string& path) {
  return os::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

} // namespace

void save_devices(Qmp& monitor) {
  // The devices' state without the memory, which is in its file. Unlike `migrate` it does not ask whether
  // every disk's format could be migrated: ours are read-only or saved beside it.
  monitor.execute("xen-save-devices-state", {{"filename", seen::k_state}, {"live", false}});
}

void save_clone(const RunningClone& clone, const SavedGuest& target) {
  const auto memory = new_file(target.memory());
  std::ignore = os::copy_content(clone.base_memory, memory.get()); // while it runs: nobody writes to the base
  const Pause pause(clone.monitor);
  save_devices(clone.monitor);
  os::crash_point("memory.paused");
  copy_changed_pages(clone.qemu, seen::k_memory, memory.get());
  give_to_confined(memory.get());
  const auto state = os::open_file(clone.state, O_RDONLY | O_NOFOLLOW);
  std::ignore = os::copy_content(state.get(), new_file(target.state()).get());
  copy_scratch_disk(clone.scratch, target.scratch());
}

void seal(const SavedGuest& saved, const HexDigest& key) {
  for (const std::string part : k_parts) {
    const auto path = saved.directory + "/" + part;
    std::ignore = ::chmod(path.c_str(), part == "memory" ? 0600 : 0400);
  }
  os::write_json_atomically(
      manifest_of(saved), {{"key", key}, {"parts", fingerprints(saved)}}, os::Durable::no);
}

bool is_intact(const SavedGuest& saved, const HexDigest& key) {
  const auto manifest = os::maybe_read_file(manifest_of(saved), 1 << 16);
  try {
    const auto document = manifest ? parse_json(*manifest, "template.json") : Json::object();
    return string_or(document, "key", "") == key && value_at(document, "parts") == fingerprints(saved);
  } catch (const Error&) {
    return false; // as damaged as any other damage
  }
}

} // namespace pyro::backend::qemu
