// Messages of JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as the Model Context Protocol uses it.
#pragma once

#include <pyro/base/json_access.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::mcp {

// Codes of JSON-RPC.
inline constexpr int k_parse_error = -32700;
inline constexpr int k_invalid_request = -32600;
inline constexpr int k_method_not_found = -32601;
inline constexpr int k_invalid_params = -32602;
inline constexpr int k_internal_error = -32603;
// Codes of MCP.
inline constexpr int k_legacy_resource_not_found = -32002;
inline constexpr int k_header_mismatch = -32020;
inline constexpr int k_unsupported_version = -32022;

/// What a request is answered with where it has no result.
class RpcError : public std::exception {
public:
  RpcError(int code, std::string message, Json data = nullptr);

  int code() const { return m_code; }

  const char* what() const noexcept override { return m_message.c_str(); }

  const Json& data() const { return m_data; }

private:
  int m_code;
  std::string m_message;
  Json m_data;
};

/// A request, or a notification, which has no id and is not answered.
struct Message {
  std::optional<Json> id; // a text or a whole number
  std::string method;
  Json params; // always an object
};

/// Throws RpcError(k_invalid_request). nullopt: an answer to something, which nobody here asked.
std::optional<Message> read_message(const Json& document);

Json result_message(const Json& id, Json result);
/// `id` is null where the message had none that could be read.
Json error_message(const Json& id, const RpcError& error);
Json notification(std::string_view method, Json params);

/// The longest that is read, on any transport.
inline constexpr std::size_t k_longest_message = 64U << 20U;

/// One line with its end, fit for every transport: bytes that are no UTF-8 become U+FFFD.
std::string to_line(const Json& message);

} // namespace pyro::mcp
