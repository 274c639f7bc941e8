#include "room.hpp"

#include "seed_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/file_system_room.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace pyro::workspace {

namespace {

void require(
    const Context& context, const os::FileSystemRoom& room, std::uint64_t needed,
    const std::string& address) {
  if (room.free_bytes < needed) {
    throw Error(
        ErrorCode::disk_full, "No space left on device: {} free for {}, and {} needs at least {}",
        format_bytes(room.free_bytes), context.base.root(), address, format_bytes(needed))
        .with_hint("`pyro df` shows what takes space, `pyro prune` removes what nothing needs any more");
  }
}

/// No more than any step may need, and on a small file system what a supervisor keeps free there (2 %,
/// supervisor/disk_policy.cpp): below that it stops a sandbox that writes.
std::uint64_t least_for_sandbox(const os::FileSystemRoom& room) {
  constexpr std::uint64_t k_most = 64ULL << 20;
  constexpr std::uint64_t k_part = 50;
  return std::min(k_most, room.total_bytes / k_part);
}

/// The file system that it is copied to.
struct Target {
  dev_t device = 0;
  os::Copies copies = os::Copies::may_take_less;
};

/// Holes are not copied, and what a reflink may share need not be.
std::uint64_t copied_bytes(const std::string& source, const seed::SeedEntry& entry, const Target& target) {
  constexpr std::uint64_t k_reflink_from = 1 << 20;
  if (entry.type != seed::SeedType::file) {
    return 0;
  }

  struct stat status {};

  const auto path = source + "/" + std::string(entry.path);
  if (::lstat(path.c_str(), &status) != 0) {
    return 0;
  }
  const bool may_be_shared = target.copies != os::Copies::take_their_size && entry.size >= k_reflink_from
                             && status.st_dev == target.device;
  return may_be_shared ? 0 : std::min(entry.size, static_cast<std::uint64_t>(status.st_blocks) * 512);
}

std::uint64_t sizes_of(const std::vector<seed::SeedEntry>& entries) {
  std::uint64_t bytes = 0;
  for (const auto& entry : entries) {
    bytes += entry.type == seed::SeedType::file ? entry.size : 0;
  }
  return bytes;
}

/// At least so much: what differs from the seed that was copied last, each file with several names once.
std::uint64_t seed_bytes(
    const Context& context, const seed::SeedScan& scan, os::Copies copies,
    const std::string& workspace_directory) {
  struct stat status {};

  if (::stat(context.base.root().c_str(), &status) != 0) {
    return 0;
  }
  const Target target{status.st_dev, copies};
  std::uint64_t bytes = 0;
  std::set<std::uint32_t> groups;
  const auto add = [&](const seed::SeedEntry& entry) {
    if (entry.link_group == 0 || groups.insert(entry.link_group).second) {
      bytes += copied_bytes(scan.source(), entry, target);
    }
  };
  const auto last = workspace_directory.empty() ? std::nullopt : recall_seed(workspace_directory);
  if (last) {
    for (const auto& path : seed::delta_of(last->manifest.entries, scan.entries()).changed) {
      if (const auto* entry = scan.find(path)) {
        add(*entry);
      }
    }
  } else {
    std::for_each(scan.entries().begin(), scan.entries().end(), add);
  }
  return bytes;
}

} // namespace

void require_room(
    const Context& context, const plan::Plan& plan, const ResolvedInputs& resolved,
    const std::string& workspace_directory) {
  const auto is_built = [](const plan::Action& action) {
    return action.subject == plan::Subject::link && plan::is_change(action.kind);
  };
  if (std::none_of(plan.actions.begin(), plan.actions.end(), is_built)) {
    return;
  }
  const auto room = os::file_system_room(context.base.root());
  for (const auto& action : plan.actions) {
    if (!is_built(action)) {
      continue;
    }
    if (action.address == "seed") {
      // Most often there is room for all of it, and nothing has to be counted.
      const bool is_known = resolved.scan && room.copies != os::Copies::may_take_less;
      if (is_known && sizes_of(resolved.scan->entries()) > room.free_bytes) {
        require(
            context, room, seed_bytes(context, *resolved.scan, room.copies, workspace_directory),
            action.address);
      }
    } else if (action.address != "environment") {
      require(context, room, least_for_sandbox(room), action.address);
    }
  }
}

void require_room_for_sandbox(const Context& context, const std::string& address) {
  const auto room = os::file_system_room(context.base.root());
  require(context, room, least_for_sandbox(room), address);
}

} // namespace pyro::workspace
