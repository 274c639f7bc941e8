#include "drift_causes.hpp"

#include "service_records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/plan/render.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace pyro::workspace {

namespace {

/// Names that build tools and test runners give to what they make. Only what was not there before is taken
/// for theirs, so a directory of the checkout with such a name is not.
constexpr std::array k_build_outputs{
    "__pycache__/",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".tox/",
    ".nox/",
    ".coverage",
    ".nyc_output/",
    ".eslintcache",
    ".parcel-cache/",
    ".turbo/",
    ".vite/",
    ".next/",
    ".nuxt/",
    ".svelte-kit/",
    ".gradle/",
    "target/debug/",
    "target/release/",
    "target/classes/",
    ".rustc_info.json",
    "CMakeFiles/",
    "CMakeCache.txt",
    "build.ninja",
    ".ninja_log",
    ".ninja_deps",
    "*.o",
    "*.obj",
    "*.lo",
    "*.class",
    "*.pyc",
    "*.tsbuildinfo",
    "*.egg-info/",
    "bazel-out/",
    "build/",
    "dist/",
    "/root/.cargo/registry/",
    "/root/go/pkg/",
    "/root/.m2/repository/",
    "/home/*/.cargo/registry/",
    "/home/*/go/pkg/",
    "/home/*/.m2/repository/"};

/// Ids by name, from /etc/passwd of the sandbox.
std::map<std::string, uid_t> user_ids(const store::LayeredView& root) {
  constexpr std::size_t k_longest = 1 << 20;
  std::map<std::string, uid_t> ids;
  // Without it no owner says anything.
  const auto text = root.maybe_read("etc/passwd", k_longest).value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const auto name_end = line.find(':');
    const auto id_at = name_end == std::string_view::npos ? name_end : line.find(':', name_end + 1);
    uid_t id = 0;
    if (id_at != std::string_view::npos
        && std::from_chars(line.data() + id_at + 1, line.data() + line.size(), id).ec == std::errc{}) {
      ids.emplace(line.substr(0, name_end), id);
    }
  }
  return ids;
}

std::string joined_outputs() {
  std::string text;
  for (const auto* pattern : k_build_outputs) {
    text += std::string(pattern) + "\n";
  }
  return text;
}

double seconds_of(const struct timespec& time) {
  constexpr double k_nanoseconds = 1e9;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / k_nanoseconds;
}

} // namespace

namespace {

/// Of the last commands, where no service by hand ran beside them. A log that cannot be read says nothing.
std::vector<CauseFacts::Span>
command_spans(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  constexpr double k_milliseconds = 1000;
  constexpr std::int64_t k_last = 50; // each entry holds its output as well
  std::vector<CauseFacts::Span> spans;
  try {
    if (!ServiceRecords(paths, record).all().empty()) {
      return {};
    }
    for (const auto& entry : CommandLog(paths, record).entries(k_last)) {
      const auto from = get_double(entry, "started_at");
      spans.push_back({from, from + static_cast<double>(get_int(entry, "duration_ms")) / k_milliseconds});
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::timeout) {
      throw;
    }
  }
  return spans;
}

} // namespace

CauseFacts cause_facts(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  CauseFacts facts;
  const auto services =
      record.spec.is_object() ? record.spec.value("services", Json::object()) : Json::object();
  const bool has_services = services.is_object() && !services.empty();
  if (services.is_object()) {
    for (const auto& [name, service] : services.items()) {
      const auto user = service.is_object() ? service.value("user", Json()) : Json();
      if (user.is_string() && !user.get<std::string>().empty() && user != record.user && user != "root") {
        facts.service_users.push_back(user.get<std::string>());
      }
    }
  }
  // The times of a machine's mirrored files are not those of its own kernel.
  const bool has_own_kernel = record.execution_mode.starts_with("guest");
  if (!has_services && !has_own_kernel) {
    facts.commands = command_spans(paths, record);
  }
  return facts;
}

DriftCauses::DriftCauses(
    const store::Stack& before, const store::Stack& after, const std::vector<std::string>& changed,
    const CauseFacts& facts)
    : m_facts(facts), m_packages(store::LayeredView(before), store::LayeredView(after), changed),
      m_build_outputs(joined_outputs(), "") {
  if (!facts.service_users.empty()) {
    const auto ids = user_ids(store::LayeredView(after));
    for (const auto& name : facts.service_users) {
      if (const auto found = ids.find(name); found != ids.end()) {
        m_service_ids.insert(found->second);
      }
    }
  }
}

bool DriftCauses::is_of_build(const std::string& path, const store::DiffEntry& entry) const {
  if (entry.before) {
    return false;
  }
  for (auto end = path.size(); end != std::string::npos && end > 0; end = path.rfind('/', end - 1)) {
    const auto part = std::string_view(path).substr(0, end);
    const bool is_directory = end < path.size() || entry.artifact_type == store::ArtifactType::directory;
    if (m_build_outputs.match(part, part.substr(part.rfind('/') + 1), is_directory) == seed::Match::ignored) {
      return true;
    }
  }
  return false;
}

bool DriftCauses::is_of_service(const store::DiffEntry& entry) const {
  return entry.after && m_service_ids.contains(entry.after->status.st_uid);
}

/// Nothing inside can set the time at which an inode was changed last.
bool DriftCauses::is_of_command(const store::DiffEntry& entry) const {
  if (!entry.after) {
    return false;
  }
  const auto changed = seconds_of(entry.after->status.st_ctim);
  constexpr double k_tick = 0.02; // the kernel stamps files with a clock that goes in steps
  return std::any_of(m_facts.commands.begin(), m_facts.commands.end(), [&](const CauseFacts::Span& span) {
    return changed >= span.from - k_tick && changed <= span.to + k_tick;
  });
}

std::string DriftCauses::of(const std::string& path, const store::DiffEntry& entry) const {
  if (const auto* manager = m_packages.owner_of(path)) {
    return std::string(name_of(*manager));
  }
  return is_of_build(path, entry) ? "build"
         : is_of_service(entry)   ? "service"
         : is_of_command(entry)   ? "command"
                                  : "other";
}

Json count_causes(const Json& entries) {
  constexpr std::size_t k_shown = 5;
  std::map<std::string, Json> causes;
  for (const auto& entry : entries) {
    const auto cause = get_string(entry, "cause");
    auto& group = causes[cause];
    if (group.is_null()) {
      group = {{"cause", cause}, {"text", plan::cause_text(cause)}, {"count", 0}, {"paths", Json::array()}};
    }
    group["count"] = group["count"].get<std::int64_t>() + 1;
    if (group["paths"].size() < k_shown) {
      group["paths"].push_back(entry.at("path"));
    }
  }
  std::vector<Json> sorted;
  for (auto& [cause, group] : causes) {
    sorted.push_back(std::move(group));
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Json& one, const Json& other) {
    return get_int(one, "count") > get_int(other, "count");
  });
  return sorted;
}

} // namespace pyro::workspace
