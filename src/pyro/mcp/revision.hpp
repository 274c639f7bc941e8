// The revisions of the Model Context Protocol that are spoken, of two eras. In the modern one every request
// says which revision it is of; in the legacy one `initialize` agreed on it for the connection. One server
// speaks both, request by request.
#pragma once

#include "json_rpc.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::mcp {

enum class Era { legacy, modern };

inline constexpr std::string_view k_modern_revision = "2026-07-28";
inline constexpr std::string_view k_newest_legacy_revision = "2025-11-25";
/// The only one in which a message may be a list of messages.
inline constexpr std::string_view k_revision_with_batches = "2025-03-26";
inline constexpr std::string_view k_tasks_extension = "io.modelcontextprotocol/tasks";

/// Newest first.
const std::vector<std::string>& supported_revisions();

/// Of the legacy era, and spoken here.
bool is_legacy_revision(std::string_view revision);

/// RpcError(k_unsupported_version), with those that are supported.
RpcError unsupported_revision(const std::string& requested);

/// What `initialize` answers to a wish: the same where it is spoken, else the newest of that era.
std::string agreed_revision(std::string_view wished);

/// What a request says about itself.
struct RequestContext {
  Era era = Era::legacy;
  bool takes_tasks = false; // may be answered with a task
  Json progress_token;      // null: no progress is wanted
};

/// "_meta" of parameters says this revision; nullopt: none, as in the legacy era.
std::optional<std::string> revision_said_in(const Json& params);

/// From the `_meta` of its parameters. RpcError(k_unsupported_version) with what is supported;
/// RpcError(k_invalid_params) where a modern request lacks what it must have.
RequestContext context_of(const Json& params);

} // namespace pyro::mcp
