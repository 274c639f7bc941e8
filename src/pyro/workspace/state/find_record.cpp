#include "find_and_lock.hpp"
#include "unfinished.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace pyro::workspace {

namespace {

enum class RecordKind { workspace, vm };

std::optional<store::WorkspaceRecord> find_record(
    const Context& context, RecordKind kind, const std::string& wanted, const std::string& identity_key) {
  std::vector<store::WorkspaceRecord> by_name;
  std::vector<store::WorkspaceRecord> by_prefix;
  std::optional<Error> refused;
  const auto& text = wanted.empty() ? identity_key : wanted;
  for (auto& record : context.records.mentioning(text, &refused)) {
    if (is_vm(record) != (kind == RecordKind::vm) || is_abandoned(record)) {
      continue;
    }
    if (wanted.empty()) {
      if (!identity_key.empty() && record.identity_key == identity_key) {
        return std::move(record);
      }
      continue;
    }
    if (record.id == wanted) {
      return std::move(record);
    }
    if (record.name == wanted && !is_destroyed(record)) {
      by_name.push_back(std::move(record));
    } else if (record.id.rfind(wanted, 0) == 0) {
      by_prefix.push_back(std::move(record));
    }
  }
  auto& matches = by_name.empty() ? by_prefix : by_name;
  if (matches.size() > 1) {
    std::vector<std::string> ids;
    std::transform(
        matches.begin(), matches.end(), std::back_inserter(ids), [](const auto& match) { return match.id; });
    throw Error(
        ErrorCode::invalid_argument, "'{}' names {} {}s", wanted, matches.size(),
        kind == RecordKind::vm ? "VM" : "workspace")
        .with_hint(fmt::format("use an id: {}", fmt::join(ids, ", ")));
  }
  if (matches.empty() && refused) {
    throw *refused; // it may be the one, and a second of its name or checkout must not be made
  }
  return matches.empty() ? std::nullopt : std::optional(std::move(matches.front()));
}

std::optional<std::string> id_of(const std::optional<store::WorkspaceRecord>& record) {
  return record ? std::optional(record->id) : std::nullopt;
}

} // namespace

std::optional<store::WorkspaceRecord>
find_workspace_record(const Context& context, const std::string& wanted, const std::string& identity_key) {
  return find_record(context, RecordKind::workspace, wanted, identity_key);
}

std::optional<std::string>
find_workspace(const Context& context, const std::string& wanted, const std::string& identity_key) {
  return id_of(find_workspace_record(context, wanted, identity_key));
}

std::optional<std::string> find_vm(const Context& context, const std::string& wanted) {
  return wanted.empty() ? std::nullopt : id_of(find_record(context, RecordKind::vm, wanted, ""));
}

} // namespace pyro::workspace
