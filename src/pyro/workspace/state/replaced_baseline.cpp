#include "replaced_baseline.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_baseline_bytes = 64 << 20;

std::string before_path(const store::WorkspacePaths& paths) {
  return paths.root() + "/baseline.before.json";
}

/// The record as it is, or null: none yet, or a damaged one, which is replaced for good.
Json current_baseline(const Context& context, const std::string& id) {
  try {
    return store::to_json(context.records.snapshot(id, "baseline"));
  } catch (const Error&) {
    return nullptr;
  }
}

} // namespace

ReplacedBaseline::ReplacedBaseline(
    Context& context, LockedWorkspace& workspace, const store::LayerStack& stack, const HexDigest& key)
    : m_context(context), m_paths(workspace.paths), m_before(workspace.record) {
  const auto before = current_baseline(context, m_before.id);
  if (!before.is_null()) {
    os::write_json_atomically(
        before_path(m_paths), {{"generation", m_before.generation}, {"baseline", before}});
  }
  record_snapshot(context, workspace, "baseline", store::SnapshotKind::baseline, stack, key);
}

ReplacedBaseline::~ReplacedBaseline() {
  if (m_kept) {
    return;
  }
  try {
    recover_baseline(m_context, m_paths, m_before);
  } catch (const std::exception&) {
    // What made the content fail is being told; the next command does it.
  }
}

void ReplacedBaseline::keep() {
  m_kept = true;
  ::unlink(before_path(m_paths).c_str());
}

bool has_interrupted_baseline(const store::WorkspacePaths& paths) {
  return os::exists(before_path(paths));
}

void recover_baseline(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  const auto text = os::maybe_read_file(before_path(paths), k_most_baseline_bytes);
  if (!text) {
    return;
  }
  const auto kept = parse_json(*text, "baseline.before.json");
  if (get_int(kept, "generation") == record.generation) {
    auto baseline = store::snapshot_from_json(value_at(kept, "baseline"));
    context.records.save_snapshot(record.id, baseline);
    os::crash_point("baseline.back");
  }
  ::unlink(before_path(paths).c_str());
}

} // namespace pyro::workspace
