#include "refresh_upper.hpp"

#include "build_directory.hpp"
#include "freeze.hpp"
#include "launch_limits.hpp"
#include "sandboxes.hpp"

#include <pyro/base/error.hpp>
#include <pyro/mirror/mirror.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/protocol/upper_list.hpp>
#include <pyro/store/capture.hpp>

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr auto k_disk_patience = std::chrono::minutes(5); // for a machine that others have started

std::string mark_path(const std::string& generation) {
  return mirror::mirror_directory(generation) + "/elsewhere";
}

os::ExclusiveLock lock_disk(const std::string& generation) {
  os::make_directories(mirror::mirror_directory(generation));
  return {mirror::mirror_directory(generation) + "/disk.lock", "start a virtual machine", k_disk_patience};
}

/// All that the guest wrote is here.
void note_upper_here(const std::string& generation) {
  os::crash_point("mirror.complete");
  ::unlink(mark_path(generation).c_str());
}

void mirror_running(
    const std::string& runtime_dir, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories) {
  os::IdSpace::current().run([&]() -> Json {
    const auto client = connect_sandbox(runtime_dir, "reading its files");
    mirror_upper(*client, generation, host_directories);
    return nullptr;
  });
}

/// Nobody runs on the disk: a machine of its own, tied to this process, reads it.
void mirror_disk(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const std::string& generation) {
  context.emit("note", "workspace", "starting its virtual machine for a moment to read its files");
  const BuildDirectory directory(paths.root());
  SandboxRequest request;
  request.spec.workspace_id = record.id;
  request.spec.hostname = record.name;
  request.spec.runtime_dir = directory.runtime();
  request.spec.generation_dir = generation;
  request.spec.limits = launch_limits(record);
  request.spec.tied_to_starter = true;
  request.layers = record.layers;
  request.host_directories = record.host_directories;
  request.disk_is_locked = true;
  start_sandbox(context, context.backend_named(record.backend), request);
  mirror_upper_before_kill(directory.runtime(), generation, record.host_directories);
  kill_sandbox(directory.runtime());
}

} // namespace

bool is_upper_elsewhere(const std::string& generation) {
  return os::exists(mark_path(generation));
}

os::ExclusiveLock note_upper_elsewhere(const std::string& generation) {
  auto lock = lock_disk(generation);
  os::write_file_atomically(mark_path(generation), "");
  return lock;
}

void refresh_upper(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  const auto generation = paths.generation(record.generation);
  if (!is_upper_elsewhere(generation)) {
    return;
  }
  const auto is_running = [&] {
    return backend::ControlClient::connect(paths.control_socket()) != nullptr;
  };
  if (is_running()) {
    mirror_running(paths.runtime(), generation, record.host_directories);
    return;
  }
  const auto lock = lock_disk(generation);
  if (!is_upper_elsewhere(generation)) {
    return; // somebody else has read it meanwhile
  }
  if (is_running()) {
    mirror_running(paths.runtime(), generation, record.host_directories);
  } else {
    mirror_disk(context, paths, record, generation);
  }
}

void mirror_upper(
    backend::ControlClient& client, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories) {
  mirror::MirrorOptions options;
  for (const auto& directory : host_directories) {
    if (!directory.at.empty()) {
      options.parts.push_back(store::part_folder(directory.at));
    }
  }

  // No more than it has room for, whatever the guest says (limits of the file system come on top).
  struct stat disk {};

  if (::stat((generation + "/scratch.img").c_str(), &disk) == 0) {
    options.fetched_bytes = options.held_bytes = static_cast<std::uint64_t>(disk.st_size);
  }
  mirror::refresh_mirror(client, generation, options);
}

void mirror_upper_before_kill(
    const std::string& runtime_dir, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories) {
  if (!is_upper_elsewhere(generation)) {
    return;
  }
  os::IdSpace::current().run([&]() -> Json {
    const auto client = connect_sandbox(runtime_dir, "reading its files");
    mirror_upper(*client, generation, host_directories);
    const Freeze freeze(*client);
    mirror_upper(*client, generation, host_directories);
    return nullptr;
  });
  note_upper_here(generation);
}

void mirror_upper_before_stop(
    const std::string& runtime_dir, const std::string& generation,
    const std::vector<store::HostDirectory>& host_directories, std::chrono::milliseconds grace) {
  if (!is_upper_elsewhere(generation)) {
    return;
  }
  connect_sandbox(runtime_dir, "stopping")
      ->call(
          "/agent" + std::string(protocol::path::k_upper_settle), {{"grace_ms", grace.count()}},
          grace + std::chrono::seconds(10));
  mirror_running(runtime_dir, generation, host_directories);
  note_upper_here(generation);
}

} // namespace pyro::workspace
