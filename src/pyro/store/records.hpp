// What is known of a workspace and of its snapshots between processes: JSON records, always written whole.
#pragma once

#include "layered_view.hpp"
#include "layers.hpp"
#include "workspace_record.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

enum class SnapshotKind { baseline, named, managed };

std::string_view name_of(SnapshotKind kind);

struct SnapshotRecord {
  std::string name;
  SnapshotKind kind = SnapshotKind::named;
  double created_at = 0;
  std::int64_t sequence = 0; // order of creation; set by save() where 0
  std::vector<HexDigest> layers;
  std::vector<HostDirectory> host_directories;
  std::string digest; // over layers and host directories; set by save() where empty
  std::string parent; // name; empty for the baseline
  std::uint64_t size_bytes = 0;
  std::uint64_t entry_count = 0;
  std::string key;         // recipe key of a managed one
  std::string outdated_by; // the key that its point got when the seed was synced; empty where it did not
};

Json to_json(const WorkspaceRecord& record);
WorkspaceRecord workspace_from_json(const Json& value);
Json to_json(const SnapshotRecord& record);
SnapshotRecord snapshot_from_json(const Json& value);
/// The digest of a stack of layers.
HexDigest
stack_digest(const std::vector<HexDigest>& layers, const std::vector<HostDirectory>& host_directories);

/// "layers", or another field, of a record: an array of digests, each checked.
std::vector<HexDigest> layers_from_json(const Json& value, std::string_view key = "layers");

/// The version of a record; refuses (bad_state) one that a newer pyro wrote.
int check_layout_version(const Json& value, std::string_view what);

class WorkspaceRecords {
public:
  explicit WorkspaceRecords(Base base) : m_base(std::move(base)) {}

  /// While one lives nothing that is saved waits for the disk: for many workspaces that are made at once,
  /// whose maker then calls sync().
  class Unsynced {
  public:
    explicit Unsynced(const WorkspaceRecords& records) : m_users(records.m_unsynced) { ++*m_users; }

    ~Unsynced() { --*m_users; }

    Unsynced(const Unsynced&) = delete;
    Unsynced& operator=(const Unsynced&) = delete;

  private:
    std::shared_ptr<int> m_users;
  };

  /// Makes the records of these workspaces and of their baselines durable, with few waits for the disk.
  void sync(const std::vector<std::string>& ids) const;

  /// Ids of all workspace directories, valid or not.
  std::vector<std::string> ids() const;
  /// Error(invalid_argument) "workspace … does not exist"; Error(protocol) where it is damaged.
  WorkspaceRecord load(const std::string& id) const;
  /// nullopt where there is none; a damaged one still throws.
  std::optional<WorkspaceRecord> find(const std::string& id) const;
  /// All readable ones, most recent activity first; ids of damaged ones go to `damaged` where given.
  std::vector<WorkspaceRecord> list(std::vector<std::string>* damaged = nullptr) const;
  /// The readable ones whose file has `text` in any field, in list()'s order: to find one of many without
  /// parsing them all. `refused`: why one of them, that a newer pyro wrote, is not among them.
  std::vector<WorkspaceRecord>
  mentioning(const std::string& text, std::optional<Error>* refused = nullptr) const;
  /// Compare-and-swap: throws `stale` where the record on disk is not of the revision that `record` was
  /// loaded at; then counts it up, in `record` too. Revision 0 is a new one (already_exists where there is
  /// one).
  void save(WorkspaceRecord& record, os::Durable durable = os::Durable::yes) const;

  /// Baseline first, then by order of creation. Throws bad_state `requires a baseline snapshot` where the
  /// baseline is missing or any record is damaged.
  std::vector<SnapshotRecord> snapshots(const std::string& id) const;
  /// Error(invalid_argument) "snapshot … does not exist". For the baseline: `requires a baseline snapshot`
  /// (bad_state).
  SnapshotRecord snapshot(const std::string& id, const std::string& name) const;
  bool has_snapshot(const std::string& id, const std::string& name) const;
  /// Is there any record of a snapshot, damaged or not? A workspace that is just being made has none, a VM
  /// never.
  bool has_snapshots(const std::string& id) const;
  /// Replaces one of the same name.
  void
  save_snapshot(const std::string& id, SnapshotRecord& record, os::Durable durable = os::Durable::yes) const;
  /// Refuses the baseline: `cannot delete the baseline snapshot`. Those that stood on it then stand on its
  /// parent.
  void remove_snapshot(const std::string& id, const std::string& name) const;

  const Base& base() const { return m_base; }

private:
  void hand_children_on(const std::string& id, const std::string& name) const;

  os::Durable as_wanted(os::Durable durable) const { return *m_unsynced > 0 ? os::Durable::no : durable; }

  Base m_base;
  std::shared_ptr<int> m_unsynced = std::make_shared<int>(0);
};

} // namespace pyro::store
