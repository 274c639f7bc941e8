#include "kept_logs.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_kept_suffix = ".json";
constexpr std::size_t k_most_log_bytes = 16 << 20;
constexpr std::size_t k_most_kept = 64 << 20;   // of all services; an agent that is one keeps no more
constexpr std::chrono::seconds k_all_limit{10}; // it has them at hand

std::string logs_directory_of(const store::WorkspacePaths& paths) {
  return paths.services() + "/logs";
}

std::string path_of(const store::WorkspacePaths& paths, const std::string& name) {
  return logs_directory_of(paths) + "/" + name + std::string(k_kept_suffix);
}

/// Bytes that are no UTF-8 have no place in JSON; the reader would not show them either.
std::string writable(const std::string& text) {
  const auto dumped = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return parse_json(dumped, "a line of a log").get<std::string>();
}

Json document_of(const ServiceLogs& logs, const Redactor& redactor, std::int64_t reset_count) {
  Json lines = Json::array();
  for (const auto& line : logs.lines) {
    lines.push_back({line.is_error ? "stderr" : "stdout", writable(redactor.redact(line.text)), line.begin});
  }
  return {
      {"layout_version", store::k_layout_version},
      {"reset_count", reset_count},
      {"truncated", logs.truncated},
      {"lines", std::move(lines)}};
}

} // namespace

void keep_logs(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  try {
    const auto services = services_status_if_any(paths.control_socket());
    const auto secrets = known_secrets(paths, record);
    if (!services || services->empty() || !secrets.complete) {
      return;
    }
    const auto client = connect_sandbox(paths.runtime(), "stop");
    os::make_directories(logs_directory_of(paths));
    std::size_t kept = 0;
    const auto deadline = os::now_monotonic() + k_all_limit;
    for (const auto& status : *services) {
      const auto logs = read_service_logs(*client, status.name, deadline - os::now_monotonic());
      for (const auto& line : logs.lines) {
        kept += line.text.size();
      }
      if (kept > k_most_kept) {
        throw Error(ErrorCode::protocol, "together they are larger than {} bytes", k_most_kept);
      }
      os::write_json_atomically(
          path_of(paths, status.name), document_of(logs, secrets.redactor, record.reset_count),
          os::Durable::no);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) {
      throw;
    }
    context.emit("note", "services", fmt::format("their logs are not kept: {}", error.what()));
  }
}

std::optional<ServiceLogs>
kept_log(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& name) {
  const auto text = os::maybe_read_file(path_of(paths, name), k_most_log_bytes);
  if (!text) {
    return std::nullopt;
  }
  try {
    const auto document = parse_json(*text, "a kept log");
    if (get_int(document, "reset_count") != record.reset_count) {
      return std::nullopt;
    }
    ServiceLogs logs;
    logs.truncated = get_bool(document, "truncated");
    for (const auto& line : value_at(document, "lines")) {
      const auto begin = line.size() > 2 ? line.at(2).get<std::uint64_t>() : logs.lines.size();
      logs.lines.push_back({line.at(0) == "stderr", line.at(1).get<std::string>(), begin});
    }
    return logs;
  } catch (const std::exception&) {
    return std::nullopt; // damaged: written without fsync, lost in a power cut
  }
}

std::vector<std::string>
kept_log_names(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  std::vector<std::string> names;
  for (const auto& file : os::list_directory(logs_directory_of(paths))) {
    if (file.ends_with(k_kept_suffix)) {
      const auto name = file.substr(0, file.size() - k_kept_suffix.size());
      if (kept_log(paths, record, name)) {
        names.push_back(name);
      }
    }
  }
  return names;
}

} // namespace pyro::workspace
