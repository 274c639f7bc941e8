#include "kept_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/sandbox/virtual_machine.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace pyro::workspace {

namespace {

constexpr std::chrono::minutes k_limit{2};
constexpr std::string_view k_making = ".making";

std::string note_in(const std::string& directory) {
  return directory + "/kept.json";
}

bool is_ready(const protocol::ServiceStatus& status) {
  using State = protocol::ServiceState;
  return status.state == State::ready || status.state == State::completed;
}

/// Why this workspace's memory is not to be kept; empty: it is.
std::string objection(const LockedWorkspace& workspace, const spec::Spec& spec) {
  if (template_budget() == 0) {
    return "PYRO_TEMPLATE_BUDGET is 0";
  }
  const bool takes_secrets = std::any_of(spec.services.begin(), spec.services.end(), [](const auto& entry) {
    return !entry.second.secrets.empty();
  });
  if (takes_secrets || !kept_secrets(workspace.paths).empty()) {
    return "its services know secrets, which must not come to lie in a file";
  }
  if (spec::has_request_secrets(spec)) {
    return "its processes trust the authority of this sandbox's gateway, which ends with it";
  }
  const auto services = services_status_if_any(workspace.paths.control_socket());
  if (!services || !std::all_of(services->begin(), services->end(), is_ready)) {
    return "its services are not ready";
  }
  return "";
}

struct Kept {
  std::string directory;
  std::int64_t bytes = 0;
  std::int64_t used_ns = 0;
};

/// Of all workspaces.
std::vector<Kept> all_kept(const store::Base& base) {
  std::vector<Kept> all;
  for (const auto& id : os::list_directory(base.workspaces())) {
    const auto memory = base.workspaces() + "/" + id + "/memory";
    for (const auto& name : os::list_directory(memory)) {
      Kept kept{memory + "/" + name};
      for (const auto& file : os::list_directory(kept.directory)) {
        struct stat status {};

        if (::lstat((kept.directory + "/" + file).c_str(), &status) == 0) {
          kept.bytes += status.st_blocks * 512;
          const std::int64_t used = status.st_mtim.tv_sec * 1'000'000'000L + status.st_mtim.tv_nsec;
          kept.used_ns = std::max(kept.used_ns, used);
        }
      }
      all.push_back(std::move(kept));
    }
  }
  return all;
}

/// Those used longest ago go, whosever they are.
void keep_within_budget(const store::Base& base, const std::string& newest) {
  auto all = all_kept(base);
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used_ns < b.used_ns; });
  std::int64_t total = 0;
  for (const auto& kept : all) {
    total += kept.bytes;
  }
  for (const auto& kept : all) {
    if (total > template_budget() && kept.directory != newest) {
      remove_trees({kept.directory}, Detached::no);
      total -= kept.bytes;
    }
  }
}

void remove_unfinished_saves(const std::string& memory) {
  for (const auto& name : os::list_directory(memory)) {
    if (name.starts_with(k_making)) {
      remove_trees({memory + "/" + name}, Detached::no);
    }
  }
}

void save(const Context& context, const LockedWorkspace& workspace, const store::SnapshotRecord& snapshot) {
  const auto target = workspace.paths.memory(snapshot.name);
  const auto memory = target.substr(0, target.rfind('/'));
  os::make_directories(memory);
  remove_unfinished_saves(memory); // of somebody who was killed: the lock of the workspace is ours
  os::TempDir making(memory, std::string(k_making));
  connect_sandbox(workspace.paths.runtime(), "keeping its memory")
      ->call("/save", {{"directory", making.path()}}, k_limit);
  os::crash_point("memory.saved");
  os::write_json_atomically(
      note_in(making.path()), {{"snapshot", snapshot.digest}, {"layers", workspace.record.layers}},
      os::Durable::no);
  forget_memory(workspace.paths, snapshot.name);
  if (::rename(making.path().c_str(), target.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("put the kept memory into {}", target));
  }
  making.release();
  os::crash_point("memory.kept");
  keep_within_budget(context.base, target);
}

} // namespace

std::optional<KeptMemory>
kept_memory(const store::WorkspacePaths& paths, const store::SnapshotRecord& snapshot) {
  const KeptMemory found{paths.memory(snapshot.name), {}};
  const auto note = os::maybe_read_file(note_in(found.directory), 1 << 20);
  if (!note || template_budget() == 0) {
    return std::nullopt;
  }
  try {
    const auto kept = parse_json(*note, "kept.json");
    if (get_string(kept, "snapshot") == snapshot.digest) {
      ::utimensat(AT_FDCWD, note_in(found.directory).c_str(), nullptr, 0); // used now
      return KeptMemory{found.directory, store::layers_from_json(kept)};
    }
  } catch (const Error&) {
    // Damaged: as if it were not there.
  }
  return std::nullopt;
}

void save_machine_memory(
    Context& context, LockedWorkspace& workspace, const spec::Spec& spec, const std::string& snapshot_name) {
  const auto wanted = spec.snapshots.find(snapshot_name);
  if (wanted == spec.snapshots.end() || wanted->second.at != "ready"
      || wanted->second.memory == spec::MemoryMode::off || spec.services.empty()
      || wanted->second.services == spec::CaptureServices::stopped
      || !context.backend_named(workspace.record.backend).capabilities().memory_snapshot) {
    return;
  }
  const auto snapshot = context.records.snapshot(workspace.record.id, snapshot_name);
  const auto address = "snapshots." + snapshot_name;
  try {
    if (const auto reason = objection(workspace, spec); !reason.empty()) {
      throw Error(ErrorCode::unavailable, "the memory of the workspace is not kept: {}", reason)
          .with_hint("a reset to this snapshot starts the services again");
    }
    save(context, workspace, snapshot);
    context.emit("note", address, "its memory is kept: a reset brings the services back running");
  } catch (Error& error) {
    if (wanted->second.memory == spec::MemoryMode::on
        || !services_status_if_any(workspace.paths.control_socket())) { // it did not survive the attempt
      throw error.at(spec.place(address + ".memory"));
    }
    context.emit("note", address, error.message());
  }
}

void forget_memory(const store::WorkspacePaths& paths, const std::string& snapshot_name) {
  const auto directory = paths.memory(snapshot_name);
  if (os::exists(directory)) {
    remove_trees({directory}, Detached::no);
  }
}

} // namespace pyro::workspace
