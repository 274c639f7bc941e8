#include "log_pages.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/kept_logs.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/service_records.hpp>

#include <map>
#include <utility>
#include <vector>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_prefix = "lines:";

using Places = std::map<std::string, std::uint64_t>;
using NamedLogs = std::vector<std::pair<std::string, ServiceLogs>>;

/// "lines:api=1200,db=0"
Places places_of(const std::string& cursor) {
  Places places;
  for (const auto& field : fields_of(std::string_view(cursor).substr(k_prefix.size()), ',')) {
    const auto sign = field.rfind('=');
    const auto place =
        sign == std::string::npos ? std::nullopt : whole_number<std::uint64_t>(field.substr(sign + 1));
    if (!place) {
      throw Error(ErrorCode::invalid_argument, "'{}' is no cursor", escape_controls(cursor))
          .with_hint("it is next_cursor of an answer of logs");
    }
    places[field.substr(0, sign)] = *place;
  }
  return places;
}

Json cursor_of(const Places& places) {
  std::string text;
  for (const auto& [name, place] : places) {
    text += fmt::format("{}{}={}", text.empty() ? k_prefix : ",", name, place);
  }
  return text.empty() ? Json() : Json(text);
}

NamedLogs kept_logs(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& service) {
  NamedLogs all;
  for (const auto& name : kept_log_names(paths, record)) {
    auto logs = service.empty() || name == service ? kept_log(paths, record, name) : std::nullopt;
    if (logs) {
      all.emplace_back(name, std::move(*logs));
    }
  }
  return all;
}

NamedLogs running_logs(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& service) {
  const auto client = connect_sandbox(paths.runtime(), "logs");
  LiveRedactor secrets(*client, paths, record);
  secrets.await();
  NamedLogs all;
  std::vector<std::string> names;
  for (const auto& status : services_status(*client)) {
    names.push_back(status.name);
    if (!service.empty() && status.name != service) {
      continue;
    }
    auto logs = read_service_logs(*client, status.name);
    for (auto& line : logs.lines) {
      line.text = secrets.now().redact(line.text);
    }
    all.emplace_back(status.name, std::move(logs));
  }
  if (all.empty() && !service.empty()) {
    throw Error(ErrorCode::not_found, "there is no service '{}' in this workspace", service)
        .with_hint(names_hint(service, std::move(names)));
  }
  return all;
}

NamedLogs all_logs(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const std::string& service) {
  const bool is_started = record.state == store::WorkspaceState::started;
  auto all = is_started ? NamedLogs() : kept_logs(paths, record, service);
  if (all.empty() && (is_started || !service.empty() || has_services(paths, record))) {
    all = running_logs(paths, record, service);
  }
  if (all.empty()) {
    context.emit("note", "", "this workspace has no services");
  }
  return all;
}

} // namespace

bool is_log_cursor(const std::string& cursor) {
  return cursor.starts_with(k_prefix);
}

Json read_log_page(
    Context& context, const std::string& workspace, const Project& project, const LogPageRequest& request) {
  const auto wanted = request.cursor.empty() ? Places() : places_of(request.cursor);
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  const auto record = load_and_recover(context, located.id);
  Json lines = Json::array();
  Places older;
  bool truncated = false;
  for (auto& [name, logs] : all_logs(context, paths, record, request.service)) {
    if (!request.cursor.empty()) {
      const auto place = wanted.find(name);
      if (place == wanted.end()) {
        continue; // all of it was shown
      }
      logs.keep_before(place->second);
    }
    const auto kept = logs.lines;
    logs.keep_last(static_cast<std::size_t>(request.tail));
    if (const auto place = logs.place_before(kept)) {
      older[name] = *place;
    }
    truncated = truncated || logs.truncated;
    for (const auto& line : logs.lines) {
      lines.push_back({{"service", name}, {"line", to_utf8(line.text)}});
    }
  }
  return {{"lines", std::move(lines)}, {"truncated", truncated}, {"next_cursor", cursor_of(older)}};
}

} // namespace pyro::workspace
