#include "seed_decisions.hpp"

#include "three_way.hpp"

#include <pyro/base/interruption.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_merge.hpp>
#include <pyro/os/tree_writer.hpp>
#include <pyro/store/content_compare.hpp>

namespace pyro::workspace {

namespace {

using protocol::FileRecord;
using store::Found;

bool same(const std::optional<Found>& one, const std::optional<Found>& other) {
  if (!one || !other) {
    return !one && !other;
  }
  return (one->status.st_mode & S_IFMT) == (other->status.st_mode & S_IFMT)
         && store::same_content(*one, *other);
}

FileRecord expectation(const std::string& path, const std::optional<struct stat>& status) {
  FileRecord record;
  record.kind = FileRecord::Kind::expect;
  record.path = path;
  record.absent = !status;
  if (status) {
    record.size = static_cast<std::uint64_t>(status->st_size);
    record.mtime_ns = os::mtime_ns_of(*status);
  }
  return record;
}

} // namespace

SeedDecisions::SeedDecisions(SeedStacks stacks)
    : m_before(std::move(stacks.before)), m_after(std::move(stacks.after)),
      m_inside(std::move(stacks.inside)), m_root(std::move(stacks.root)) {
  store::DiffOptions options;
  options.root = m_root;
  for (const auto& entry : store::compute_diff(m_before.stack(), m_after.stack(), options)) {
    check_interruption();
    if (!is_below_any(m_decided_trees, entry.path) && !is_below_any(m_conflicts, entry.path)) {
      decide_entry(entry);
    }
  }
}

std::string SeedDecisions::whole(const std::string& path) const {
  return m_root.empty() ? path : m_root + "/" + path;
}

std::optional<Found> SeedDecisions::inside_at(const std::string& path) const {
  return m_inside.lookup(whole(path));
}

/// Is everything above it a directory, or nothing yet, or made a directory by this change?
bool SeedDecisions::is_reachable(const std::string& path) const {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto parent = path.substr(0, slash);
    if (m_taken.contains(parent)) {
      return true;
    }
    const auto found = inside_at(parent);
    if (!found) {
      return true;
    }
    if (!found->is_directory()) {
      return false;
    }
  }
  return true;
}

void SeedDecisions::decide_entry(const store::DiffEntry& entry) {
  const auto inside = inside_at(entry.path);
  if (entry.after && !is_reachable(entry.path)) {
    conflict(entry.path); // a name above it is no directory any more
  } else if (entry.after && entry.after->is_directory()) {
    decide_directory(entry, inside);
  } else if (!entry.after && entry.before->is_directory()) { // it was empty
    if (inside && inside->is_directory() && m_inside.list(whole(entry.path)).empty()) {
      m_removed.emplace(entry.path, inside->status);
    }
  } else if (entry.before && entry.before->is_directory()) {
    decide_file_for_directory(entry, inside);
  } else {
    decide_file(entry, inside);
  }
}

void SeedDecisions::decide_directory(const store::DiffEntry& entry, const std::optional<Found>& inside) {
  constexpr mode_t k_bits = 07777;
  if (inside && inside->is_directory()) {
    // Directories that exist keep their mode: the agent changes none.
    const bool is_modified = entry.status == store::DiffStatus::modified;
    if (is_modified && (inside->status.st_mode & k_bits) != (entry.after->status.st_mode & k_bits)) {
      m_modes.insert(entry.path);
    }
    return;
  }
  if (entry.status == store::DiffStatus::modified) {
    return; // removed inside, and stays so until something new comes into it
  }
  if (!same(inside, entry.before)) {
    conflict(entry.path);
    return;
  }
  m_taken.emplace(entry.path, Taken{*entry.after, inside, entry.after->status.st_mode & 0777, true});
}

void SeedDecisions::decide_file(const store::DiffEntry& entry, const std::optional<Found>& inside) {
  const ThreeWay path{entry.after.has_value(), same(inside, entry.before), same(inside, entry.after)};
  auto step = decide(path);
  mode_t mode = entry.after ? entry.after->status.st_mode & 0777 : 0;
  if (entry.after && entry.before && inside && inside->is_file() && step != SyncStep::conflict) {
    mode = merged_mode(entry.before->status.st_mode, mode, inside->status.st_mode);
    const bool has_mode = (inside->status.st_mode & 0777) == mode;
    step = step == SyncStep::nothing && !has_mode ? SyncStep::take : step;
  }
  switch (step) {
  case SyncStep::nothing:
    return;
  case SyncStep::conflict:
    conflict(entry.path);
    return;
  case SyncStep::remove:
    m_removed.emplace(entry.path, inside->status);
    return;
  case SyncStep::take:
    m_taken.emplace(entry.path, Taken{*entry.after, inside, mode, true});
  }
}

/// The directory must be as it was with all that is in it, and goes as a whole.
void SeedDecisions::decide_file_for_directory(
    const store::DiffEntry& entry, const std::optional<Found>& inside) {
  if (same(inside, entry.after)) {
    return;
  }
  store::DiffOptions options;
  options.root = whole(entry.path);
  const bool is_untouched = inside && inside->is_directory()
                            && store::compute_diff(m_before.stack(), m_inside.stack(), options).empty();
  if (!is_untouched) {
    conflict(entry.path);
    return;
  }
  m_decided_trees.insert(entry.path);
  remove_tree(entry.path);
  m_taken.emplace(entry.path, Taken{*entry.after, std::nullopt, entry.after->status.st_mode & 0777, false});
}

/// Its files and empty directories; the others go with what they hold.
void SeedDecisions::remove_tree(const std::string& path) {
  const auto names = m_inside.list(whole(path));
  for (const auto& name : names) {
    const auto below = path + "/" + name;
    const auto found = inside_at(below);
    if (found && found->is_directory()) {
      remove_tree(below);
    } else if (found) {
      m_removed.emplace(below, found->status);
    }
  }
  if (names.empty()) {
    m_removed.emplace(path, inside_at(path)->status);
  }
}

void SeedDecisions::send(GuestChange& change) const {
  send_removals(change);
  std::set<std::string> sent;
  for (const auto& [path, taken] : m_taken) {
    check_interruption();
    send_parents(change, path, sent);
    if (taken.is_expected && (!taken.inside || taken.inside->is_file())) {
      change.send(expectation(path, taken.inside ? std::optional(taken.inside->status) : std::nullopt));
    }
    auto record = record_of(path, taken.wanted.status);
    record.mode = taken.mode;
    const auto& owner = taken.inside ? taken.inside->status : taken.wanted.status;
    record.uid = owner.st_uid;
    record.gid = owner.st_gid;
    if (taken.wanted.is_file()) {
      const auto file = taken.wanted.open();
      for (const auto& [name, value] : os::extended_attributes_of(file.get())) {
        if (os::may_keep_xattr(name, {})) {
          record.xattrs[name] = value;
        }
      }
      change.send_file(record, file.get());
      continue;
    }
    if (taken.wanted.is_symlink()) {
      record.target = taken.wanted.link_target();
    }
    change.send(record);
  }
}

void SeedDecisions::send_removals(GuestChange& change) const {
  const auto remove = [&](const std::string& path) {
    FileRecord record;
    record.kind = FileRecord::Kind::remove;
    record.path = path;
    change.send(record);
  };
  std::set<std::string> paths;
  for (const auto& [path, status] : m_removed) {
    if (S_ISREG(status.st_mode)) {
      change.send(expectation(path, status));
    }
    remove(path);
    paths.insert(path);
  }
  const auto emptied = emptied_directories(
      paths, [&](const std::string& directory) { return m_inside.list(whole(directory)); },
      [&](const std::string& directory) {
        const auto wanted = m_after.lookup(whole(directory));
        return wanted && wanted->is_directory();
      });
  for (const auto& directory : emptied) {
    remove(directory);
  }
}

/// Directories that are not there yet get what the seed gives them.
void SeedDecisions::send_parents(
    GuestChange& change, const std::string& path, std::set<std::string>& sent) const {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto parent = path.substr(0, slash);
    if (m_taken.contains(parent) || inside_at(parent) || !sent.insert(parent).second) {
      continue;
    }
    const auto wanted = m_after.lookup(whole(parent));
    if (!wanted) {
      continue;
    }
    auto record = record_of(parent, wanted->status);
    record.uid = wanted->status.st_uid;
    record.gid = wanted->status.st_gid;
    change.send(record);
  }
}

} // namespace pyro::workspace
