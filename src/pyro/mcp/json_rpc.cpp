#include "json_rpc.hpp"

#include <pyro/base/error.hpp>

#include <utility>

namespace pyro::mcp {

RpcError::RpcError(int code, std::string message, Json data)
    : m_code(code), m_message(std::move(message)), m_data(std::move(data)) {
}

std::optional<Message> read_message(const Json& document) {
  if (!document.is_object() || document.value("jsonrpc", Json()) != "2.0") {
    throw RpcError(k_invalid_request, "a message is an object with \"jsonrpc\": \"2.0\"");
  }
  Message message;
  if (const auto id = document.find("id"); id != document.end()) {
    if (!id->is_string() && !id->is_number_integer()) {
      throw RpcError(k_invalid_request, "an id is a text or a whole number");
    }
    message.id = *id;
  }
  const auto method = document.find("method");
  if (method == document.end() && message.id && (document.contains("result") || document.contains("error"))) {
    return std::nullopt;
  }
  if (method == document.end() || !method->is_string()) {
    throw RpcError(k_invalid_request, "a message has a \"method\", which is a text");
  }
  message.method = method->get<std::string>();
  message.params = document.value("params", Json::object());
  if (!message.params.is_object()) {
    throw RpcError(k_invalid_request, "\"params\" is an object");
  }
  return message;
}

Json result_message(const Json& id, Json result) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

Json error_message(const Json& id, const RpcError& error) {
  Json body{{"code", error.code()}, {"message", error.what()}};
  if (!error.data().is_null()) {
    body["data"] = error.data();
  }
  Json message{{"jsonrpc", "2.0"}, {"error", std::move(body)}};
  if (!id.is_null()) {
    message["id"] = id;
  }
  return message;
}

Json notification(std::string_view method, Json params) {
  return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

std::string to_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace pyro::mcp
