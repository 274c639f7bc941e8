// What a modern request says twice, in header fields and in its body, for the sake of those between client
// and server: it must be the same.
#pragma once

#include "json_rpc.hpp"

#include <pyro/http_server/exchange.hpp>

namespace pyro::mcp {

/// By its header field or its body; every other one is legacy.
bool is_modern_request(const http_server::HttpRequest& request, const Json& document);

/// Throws RpcError: k_header_mismatch, k_unsupported_version, k_invalid_params (no `_meta`, or not all).
void check_metadata(const http_server::HttpRequest& request, const Message& message);

/// A field's value as it was meant: "=?base64?…?=" is decoded. nullopt: it is not base64.
std::optional<std::string> decoded_field(const std::string& value);

} // namespace pyro::mcp
