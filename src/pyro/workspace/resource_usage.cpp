#include "resource_usage.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/resource_use.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/protocol/resources.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <algorithm>
#include <cmath>
#include <thread>

namespace pyro::workspace {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_least_interval{100}; // times are counted in hundredths of a second
constexpr milliseconds k_longest_interval{3'600'000};
constexpr milliseconds k_slice{100}; // for an interruption

struct Disk {
  Json used_bytes; // null: nobody has looked yet
  Json limit_bytes;
};

/// Of one sandbox, at one moment.
struct Counted {
  milliseconds at{0};
  ResourceUse use;                // of a virtual machine: inside
  std::optional<ResourceUse> vmm; // the process that it is on this machine
  std::map<std::string, ResourceUse> services;
  std::optional<Disk> disk;
  std::string trouble; // why something is not known; empty: nothing is wrong
};

/// nullopt: it has ended meanwhile, makes no sense, or was started by an older pyro that cannot tell.
std::optional<Json> maybe(const SandboxAnswers& answers, std::string_view question) {
  try {
    return answers.maybe(question);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::timeout) {
      throw;
    }
    return std::nullopt;
  }
}

/// What its supervisor has counted last of the files of a sandbox; it does so as they are written.
std::optional<Disk> disk_on_this_machine(const SandboxAnswers& answers) {
  const auto status = maybe(answers, inquiry::k_status);
  const auto disk = status ? status->value("disk", Json()) : Json();
  return disk.is_object()
             ? std::optional(Disk{disk.value("used_bytes", Json()), disk.value("limit_bytes", Json())})
             : std::nullopt;
}

Counted count_use(const store::WorkspaceRecord& record, const SandboxAnswers& answers) {
  Counted counted;
  counted.at = answers.at();
  if (!answers.is_there()) {
    return counted;
  }
  try {
    const auto told = maybe(answers, inquiry::k_use);
    const auto outside = told ? resource_use_from_json(*told) : ResourceUse{};
    const bool is_machine = record.execution_mode.starts_with("guest");
    (is_machine ? counted.vmm.emplace() : counted.use) = outside;
    counted.disk = disk_on_this_machine(answers);
    if (const auto from_inside = maybe(answers, inquiry::k_use_inside)) {
      const auto inside = protocol::resources_from_json(*from_inside);
      counted.use = counted.use.completed_by(inside.whole);
      counted.services = inside.services;
      if (inside.disk) {
        counted.disk = Disk{inside.disk->used_bytes, inside.disk->size_bytes};
      }
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::timeout && error.code() != ErrorCode::protocol) {
      throw;
    }
    counted.trouble = error.code() == ErrorCode::timeout
                          ? "its agent does not answer"
                          : "what its agent says makes no sense: " + error.message();
  }
  return counted;
}

/// Of one processor, in percent, since an earlier count of the same; null: there is none.
Json percent_of(const std::optional<CpuUse>& before, const std::optional<CpuUse>& now, milliseconds elapsed) {
  if (!before || !now || before->by != now->by || elapsed.count() <= 0) {
    return nullptr;
  }
  const auto used = now->usec > before->usec ? static_cast<double>(now->usec - before->usec) : 0.0;
  return std::round(used / static_cast<double>(elapsed.count())) / 10; // of 1000 us each
}

/// {cpu, memory, pids}
Json figures_of(const ResourceUse& use, const ResourceUse& before = {}, milliseconds elapsed = {}) {
  auto figures = to_json(use);
  if (auto& cpu = figures["cpu"]; cpu.is_object()) {
    cpu["seconds"] = static_cast<double>(use.cpu->usec) / 1e6;
    cpu["percent"] = percent_of(before.cpu, use.cpu, elapsed);
    cpu.erase("usec");
  }
  return figures;
}

Json figures_of(const Counted& now, const Counted& before = {}) {
  const auto elapsed = before.at.count() > 0 ? now.at - before.at : milliseconds{};
  auto figures = figures_of(now.use, before.use, elapsed);
  figures["vmm"] = now.vmm ? figures_of(*now.vmm, before.vmm.value_or(ResourceUse{}), elapsed) : Json();
  figures["disk"] =
      now.disk ? Json{{"used_bytes", now.disk->used_bytes}, {"limit_bytes", now.disk->limit_bytes}} : Json();
  return figures;
}

Json figures_of_service(const std::string& name, const Counted& now, const Counted& before = {}) {
  const auto found = now.services.find(name);
  if (found == now.services.end()) {
    return to_json(ResourceUse{});
  }
  const auto earlier = before.services.find(name);
  const auto elapsed = before.at.count() > 0 ? now.at - before.at : milliseconds{};
  return figures_of(
      found->second, earlier == before.services.end() ? ResourceUse{} : earlier->second, elapsed);
}

struct Reading {
  store::WorkspaceRecord record;
  SandboxAnswers answers;
  Counted counted;
};

std::vector<std::string> ids_of(Context& context, const std::vector<std::string>& wanted) {
  std::vector<std::string> ids;
  for (const auto& name : wanted) {
    const auto id = locate(context, name, {}).id;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      ids.push_back(id);
    }
  }
  if (wanted.empty()) {
    for (const auto& listed : context.records.list()) {
      if (!is_destroyed(listed) && !is_vm(listed) && !is_abandoned(listed)
          && listed.state == store::WorkspaceState::started) {
        ids.push_back(listed.id);
      }
    }
  }
  return ids;
}

std::map<std::string, Reading> read_all(Context& context, const std::vector<std::string>& ids) {
  std::map<std::string, Reading> readings;
  for (const auto& id : ids) {
    context.check_interrupted();
    if (auto record = load_and_recover_if_there(context, id)) {
      SandboxAnswers answers(store::WorkspacePaths(context.base, id), *record, questions_of_use());
      auto counted = count_use(*record, answers);
      readings.emplace(id, Reading{std::move(*record), std::move(answers), std::move(counted)});
    }
  }
  return readings;
}

void wait_out(const Context& context, milliseconds interval) {
  const auto until = os::now_monotonic() + interval;
  for (auto left = interval; left.count() > 0; left = until - os::now_monotonic()) {
    context.check_interrupted();
    std::this_thread::sleep_for(std::min(left, k_slice));
  }
}

Json describe_use(const store::WorkspacePaths& paths, const Reading& now, const Counted& before) {
  const auto& record = now.record;
  auto document = figures_of(now.counted, before);
  document["workspace_id"] = record.id;
  document["name"] = record.name;
  document["state"] = is_destroyed(record) ? "destroyed" : std::string(store::name_of(record.state));
  document["backend"] = record.backend;
  document["trouble"] = now.counted.trouble;
  document["oom_kills"] = nullptr;
  document["services"] = Json::array();
  if (!now.counted.trouble.empty()) {
    return document; // who does not answer is not asked again
  }
  try {
    document["oom_kills"] = describe_oom_kills(now.answers);
    for (const auto& service : describe_services(paths, record, now.answers)) {
      const auto name = get_string(service, "name");
      auto figures = figures_of_service(name, now.counted, before);
      figures["name"] = name;
      figures["state"] = get_string(service, "state");
      figures["oom_kills"] = service.value("oom_kills", Json());
      document["services"].push_back(std::move(figures));
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) {
      throw;
    }
    document["trouble"] = fmt::format("its agent makes no sense: {}", error.message());
  }
  return document;
}

bool is_same_sandbox(const store::WorkspaceRecord& one, const store::WorkspaceRecord& other) {
  return one.supervisor && other.supervisor && *one.supervisor == *other.supervisor;
}

} // namespace

Questions questions_of_use() {
  auto questions = questions_to_describe();
  questions.insert(questions.end(), {inquiry::k_use, inquiry::k_use_inside});
  return questions;
}

Json resource_usage(Context& context, const ResourceUsageRequest& request) {
  const bool is_twice = request.interval.count() != 0;
  if (is_twice && (request.interval < k_least_interval || request.interval > k_longest_interval)) {
    throw Error(
        ErrorCode::invalid_argument, "interval must be between {} and {}, not {}",
        format_duration(k_least_interval), format_duration(k_longest_interval),
        format_duration(request.interval));
  }
  context.base.prepare();
  const auto ids = ids_of(context, request.workspaces);
  std::map<std::string, Reading> before;
  if (is_twice) {
    before = read_all(context, ids);
    wait_out(context, request.interval);
  }
  std::vector<Json> workspaces;
  for (const auto& [id, now] : read_all(context, ids)) {
    if (request.workspaces.empty() && now.record.state != store::WorkspaceState::started) {
      continue; // it has ended meanwhile
    }
    const auto earlier = before.find(id);
    const bool is_known = earlier != before.end() && is_same_sandbox(earlier->second.record, now.record);
    workspaces.push_back(describe_use(
        store::WorkspacePaths(context.base, id), now, is_known ? earlier->second.counted : Counted{}));
  }
  std::stable_sort(workspaces.begin(), workspaces.end(), [](const Json& one, const Json& other) {
    return get_string(one, "name") < get_string(other, "name");
  });
  return {
      {"at", os::now_epoch()},
      {"interval_ms", is_twice ? Json(request.interval.count()) : Json()},
      {"count", workspaces.size()},
      {"workspaces", workspaces}};
}

void add_resources(const store::WorkspaceRecord& record, const SandboxAnswers& answers, Json& document) {
  document["resources"] = nullptr;
  if (record.state != store::WorkspaceState::started) {
    return;
  }
  const auto counted = count_use(record, answers);
  document["resources"] = figures_of(counted);
  for (auto& service : document["services"]) {
    service.update(figures_of_service(string_or(service, "name", ""), counted));
  }
}

} // namespace pyro::workspace
