#include "http_metadata.hpp"

#include "revision.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>

#include <string_view>
#include <tuple>

namespace pyro::mcp {

namespace {

using http_server::HttpRequest;

constexpr std::string_view k_encoded_begin = "=?base64?";
constexpr std::string_view k_encoded_end = "?=";

void require_same(
    const HttpRequest& request, const std::string& field, const std::string& shown,
    const std::string& wanted) {
  const auto value = request.field(field);
  if (!value) {
    throw RpcError(k_header_mismatch, "the header field " + shown + " is missing: '" + wanted + "'");
  }
  const auto meant = decoded_field(*value);
  if (!meant || *meant != wanted) {
    throw RpcError(
        k_header_mismatch,
        "the header field " + shown + " says '" + meant.value_or(*value) + "', the body '" + wanted + "'");
  }
}

/// What Mcp-Name repeats: which parameter of the method. Empty: it is not wanted.
const char* name_parameter_of(const std::string& method) {
  if (method == "tools/call" || method == "prompts/get") {
    return "name";
  }
  return method == "resources/read" ? "uri" : "";
}

} // namespace

std::optional<std::string> decoded_field(const std::string& value) {
  if (!value.starts_with(k_encoded_begin) || !value.ends_with(k_encoded_end)
      || value.size() < k_encoded_begin.size() + k_encoded_end.size()) {
    return value;
  }
  try {
    return base64_decode(std::string_view(value).substr(
        k_encoded_begin.size(), value.size() - k_encoded_begin.size() - k_encoded_end.size()));
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_modern_request(const HttpRequest& request, const Json& document) {
  if (document.is_object()) {
    const auto params = document.find("params");
    if (params != document.end() && params->is_object() && revision_said_in(*params)) {
      return true;
    }
  }
  const auto said = request.field("mcp-protocol-version");
  return said && !is_legacy_revision(*said);
}

void check_metadata(const HttpRequest& request, const Message& message) {
  const auto said = revision_said_in(message.params);
  const auto field = request.field("mcp-protocol-version");
  if (!said && field && *field != k_modern_revision) {
    throw unsupported_revision(*field);
  }
  if (!said) {
    throw RpcError(k_invalid_params, "_meta: io.modelcontextprotocol/protocolVersion is missing");
  }
  require_same(request, "mcp-protocol-version", "MCP-Protocol-Version", *said);
  std::ignore = context_of(message.params);
  require_same(request, "mcp-method", "Mcp-Method", message.method);
  const auto* const parameter = name_parameter_of(message.method);
  if (*parameter == '\0') {
    return;
  }
  const auto name = message.params.find(parameter);
  if (name != message.params.end() && name->is_string()) {
    require_same(request, "mcp-name", "Mcp-Name", name->get<std::string>());
  }
}

} // namespace pyro::mcp
