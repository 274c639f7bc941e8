// Services of a workspace by hand. `workspace` is an id, a unique id prefix or a name.
//
// Most return {"workspace_id", "service_name", "state": starting|running|exited|stopped|failed, "reason", …}.
// Those that the file declares are shown too.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::workspace {

struct Context;

/// One that ends or is not ready in time is returned as failed, with its last log lines.
Json start_workspace_service(Context& context, const std::string& workspace, const ServiceRequest& request);

/// {"count", "running_count", "services"}
Json list_workspace_services(Context& context, const std::string& workspace);

Json get_workspace_service(Context& context, const std::string& workspace, const std::string& service);

/// {"stdout", "stderr", "tail_lines", "truncated", "next_cursor"}; tail_lines -1: all there is. `cursor`:
/// only what is before the page that had it as its `next_cursor`.
Json read_workspace_service_logs(
    Context& context, const std::string& workspace, const std::string& service, std::int64_t tail_lines,
    std::optional<std::uint64_t> cursor = std::nullopt);

/// SIGTERM to its group, after 5 s SIGKILL; "stop_reason".
Json stop_workspace_service(Context& context, const std::string& workspace, const std::string& service);

} // namespace pyro::workspace
