#include "records.hpp"

#include "record_index.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>

#include <cerrno>
#include <set>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr std::size_t k_record_limit = 64 << 20;
constexpr std::string_view k_record_suffix = ".json";
constexpr std::string_view k_baseline = "baseline";

enum class Baseline { none_yet, lost };

Error needs_baseline(const std::string& id, Baseline baseline) {
  constexpr std::string_view k_needed = "requires a baseline snapshot, and";
  if (baseline == Baseline::lost) {
    return Error(ErrorCode::bad_state, "workspace {} {} its record is missing or damaged", id, k_needed);
  }
  return Error(
             ErrorCode::bad_state, "workspace {} {} has none yet: its first apply is not over", id, k_needed)
      .with_hint("`pyro status` says who is at work on it; `pyro apply` goes on where nobody is");
}

Error no_workspace(const std::string& id) {
  return Error(ErrorCode::invalid_argument, "workspace {} does not exist", id);
}

/// Without the baseline, which every workspace has.
std::vector<std::string> snapshot_names(const WorkspacePaths& paths) {
  std::vector<std::string> names;
  for (const std::string& file : os::list_directory(paths.snapshots())) {
    if (file.ends_with(k_record_suffix) && !file.starts_with('.')) {
      names.push_back(file.substr(0, file.size() - k_record_suffix.size()));
    }
  }
  std::erase(names, k_baseline);
  return names;
}

void sort_by_activity(std::vector<WorkspaceRecord>& records) {
  std::stable_sort(
      records.begin(), records.end(), [](const WorkspaceRecord& one, const WorkspaceRecord& other) {
        return one.last_activity_at > other.last_activity_at;
      });
}

WorkspaceRecord parse_record(const std::string& id, const std::string& text) {
  try {
    WorkspaceRecord record = workspace_from_json(parse_json(text, "workspace record"));
    if (record.id != id) {
      throw Error(ErrorCode::protocol, "the record says it is of workspace {}", record.id);
    }
    return record;
  } catch (Error& error) {
    throw error.add_context("while reading the record of workspace " + id);
  }
}

/// What the record is found by.
std::vector<std::string> texts_of(const WorkspaceRecord& record) {
  std::set<std::string> texts{record.id, record.name, record.identity_key, record.project_file};
  texts.erase("");
  return {texts.begin(), texts.end()};
}

std::optional<std::vector<std::string>>
texts_if_readable(const WorkspaceRecords& records, const std::string& id) {
  try {
    const auto record = records.find(id);
    return record ? std::optional(texts_of(*record)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Of these, without parsing those that have not got it. `gone` counts those that are not there.
std::vector<WorkspaceRecord> mentioning_of(
    const Base& base, const std::vector<std::string>& ids, const std::string& text,
    std::optional<Error>* refused, std::size_t& gone) {
  const auto quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto needle = std::string_view(quoted).substr(1, quoted.size() - 2);
  std::vector<WorkspaceRecord> records;
  for (const std::string& id : ids) {
    const auto file = os::maybe_read_file(WorkspacePaths(base, id).record(), k_record_limit);
    gone += file ? 0 : 1;
    if (!file || file->find(needle) == std::string::npos) {
      continue;
    }
    try {
      records.push_back(parse_record(id, *file));
    } catch (const Error& error) {
      if (refused != nullptr && error.code() == ErrorCode::bad_state) {
        *refused = error;
      } // else damaged: list() and reap tell of it
    }
  }
  sort_by_activity(records);
  return records;
}

} // namespace

std::vector<std::string> WorkspaceRecords::ids() const {
  std::vector<std::string> names = os::list_directory(m_base.workspaces());
  std::erase_if(names, [](const std::string& name) { return !is_safe_name(name); });
  return names;
}

WorkspaceRecord WorkspaceRecords::load(const std::string& id) const {
  if (!is_safe_name(id)) {
    throw no_workspace(id);
  }
  if (auto record = find(id)) {
    return std::move(*record);
  }
  throw no_workspace(id);
}

std::optional<WorkspaceRecord> WorkspaceRecords::find(const std::string& id) const {
  const auto text = os::maybe_read_file(WorkspacePaths(m_base, id).record(), k_record_limit);
  if (!text) {
    return std::nullopt;
  }
  return parse_record(id, *text);
}

std::vector<WorkspaceRecord>
WorkspaceRecords::mentioning(const std::string& text, std::optional<Error>* refused) const {
  const RecordIndex index(m_base);
  const auto likely =
      index.ids_with(text, [this](const std::string& id) { return texts_if_readable(*this, id); });
  std::size_t gone = 0;
  auto records = mentioning_of(m_base, likely, text, refused, gone);
  index.note_stale(gone);
  return records.empty() ? mentioning_of(m_base, ids(), text, refused, gone) : records;
}

std::vector<WorkspaceRecord> WorkspaceRecords::list(std::vector<std::string>* damaged) const {
  std::vector<WorkspaceRecord> records;
  for (const std::string& id : ids()) {
    try {
      if (auto record = find(id)) {
        records.push_back(std::move(*record));
        continue;
      }
    } catch (const Error&) {
      // told below
    }
    if (damaged != nullptr) {
      damaged->push_back(id);
    }
  }
  sort_by_activity(records);
  return records;
}

void WorkspaceRecords::save(WorkspaceRecord& record, os::Durable durable) const {
  const auto current = find(record.id);
  if (record.revision == 0 && current) {
    throw Error(ErrorCode::already_exists, "workspace {} exists already", record.id);
  }
  if (record.revision != 0 && !current) {
    throw no_workspace(record.id);
  }
  if (current && current->revision != record.revision) {
    throw Error(ErrorCode::stale, "workspace {} was changed by somebody else meanwhile", record.id);
  }
  if (!current || texts_of(*current) != texts_of(record)) {
    std::ignore = RecordIndex(m_base).add(record.id, texts_of(record));
  }
  ++record.revision;
  try {
    os::write_json_atomically(
        WorkspacePaths(m_base, record.id).record(), to_json(record), as_wanted(durable));
    record.layout_version = k_layout_version;
  } catch (...) {
    --record.revision;
    throw;
  }
}

void WorkspaceRecords::sync(const std::vector<std::string>& ids) const {
  std::vector<std::string> written;
  for (const auto& id : ids) {
    const WorkspacePaths paths(m_base, id);
    written.insert(
        written.end(),
        {paths.snapshot(std::string(k_baseline)), paths.baseline(), paths.record(), paths.root()});
  }
  written.push_back(m_base.workspaces());
  if (os::is_quicker_as_a_whole(written.size())) {
    os::sync_file_system(m_base.workspaces());
  } else {
    os::sync_paths(written);
  }
}

std::vector<SnapshotRecord> WorkspaceRecords::snapshots(const std::string& id) const {
  std::vector<SnapshotRecord> records{snapshot(id, std::string(k_baseline))};
  for (const auto& name : snapshot_names(WorkspacePaths(m_base, id))) {
    try {
      records.push_back(snapshot(id, name));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) {
        throw;
      } // deleted since the directory was read
    }
  }
  std::stable_sort(
      records.begin() + 1, records.end(),
      [](const SnapshotRecord& one, const SnapshotRecord& other) { return one.sequence < other.sequence; });
  return records;
}

SnapshotRecord WorkspaceRecords::snapshot(const std::string& id, const std::string& name) const {
  const WorkspacePaths paths(m_base, id);
  auto text = os::maybe_read_file(paths.snapshot(name), k_record_limit);
  if (!text && name == k_baseline) {
    text = os::maybe_read_file(paths.baseline_of_version_1(), k_record_limit); // not migrated yet
  }
  if (!text) {
    if (!os::exists(paths.root())) {
      throw no_workspace(id);
    }
    if (name == k_baseline) {
      const auto record = find(id);
      throw needs_baseline(id, record && record->generation == 0 ? Baseline::none_yet : Baseline::lost);
    }
    auto names = snapshot_names(paths);
    names.insert(names.begin(), std::string(k_baseline));
    throw Error(ErrorCode::invalid_argument, "snapshot {} does not exist", name)
        .with_hint(names_hint(name, names));
  }
  try {
    SnapshotRecord record = snapshot_from_json(parse_json(*text, "snapshot record"));
    if (record.name != name || (name == k_baseline) != (record.kind == SnapshotKind::baseline)) {
      throw Error(ErrorCode::protocol, "the record says it is snapshot {}", record.name);
    }
    return record;
  } catch (Error& error) {
    if (name == k_baseline && error.code() == ErrorCode::protocol) {
      throw needs_baseline(id, Baseline::lost).add_context(error.message());
    }
    throw error.add_context(fmt::format("while reading snapshot {} of workspace {}", name, id));
  }
}

bool WorkspaceRecords::has_snapshot(const std::string& id, const std::string& name) const {
  const WorkspacePaths paths(m_base, id);
  return os::exists(paths.snapshot(name))
         || (name == k_baseline && os::exists(paths.baseline_of_version_1()));
}

bool WorkspaceRecords::has_snapshots(const std::string& id) const {
  const WorkspacePaths paths(m_base, id);
  const auto has_records = [](const std::string& directory) {
    const auto names = os::list_directory(directory);
    return std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return !name.starts_with('.'); // a record that is just being written, or was when its writer was killed
    });
  };
  return has_records(paths.baseline()) || has_records(paths.snapshots());
}

void WorkspaceRecords::save_snapshot(
    const std::string& id, SnapshotRecord& record, os::Durable durable) const {
  if (record.sequence == 0 && record.kind != SnapshotKind::baseline) {
    for (const SnapshotRecord& other : snapshots(id)) {
      record.sequence = std::max(record.sequence, other.sequence);
    }
    ++record.sequence;
  }
  if (record.created_at == 0) {
    record.created_at = os::now_epoch();
  }
  record.digest = stack_digest(record.layers, record.host_directories);
  os::write_json_atomically(
      WorkspacePaths(m_base, id).snapshot(record.name), to_json(record), as_wanted(durable));
}

/// Those that stand on it stand on its parent from now on.
void WorkspaceRecords::hand_children_on(const std::string& id, const std::string& name) const {
  const SnapshotRecord parent = snapshot(id, name);
  for (SnapshotRecord& other : snapshots(id)) {
    if (other.parent == name) {
      other.parent = parent.parent;
      save_snapshot(id, other);
    }
  }
}

void WorkspaceRecords::remove_snapshot(const std::string& id, const std::string& name) const {
  check_removable_snapshot(name);
  const WorkspacePaths paths(m_base, id);
  std::ignore = snapshot(id, std::string(k_baseline));
  try {
    hand_children_on(id, name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::protocol) {
      throw;
    } // A damaged record can be removed too, and beside one.
  }
  if (unlink(paths.snapshot(name).c_str()) != 0) {
    throw Error::from_errno(errno, "remove the snapshot " + name);
  }
  os::crash_point("snapshot.removed");
  os::sync_directory(paths.snapshots());
}

} // namespace pyro::store
