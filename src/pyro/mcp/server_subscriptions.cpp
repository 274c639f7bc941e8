// The methods by which a client says what it wants to know of: resources/subscribe and resources/unsubscribe
// of the legacy era, subscriptions/listen of the modern one.
#include "server.hpp"

#include <algorithm>

namespace pyro::mcp {

namespace {

constexpr const char* k_subscription_id = "io.modelcontextprotocol/subscriptionId";

std::string uri_of(const Message& message) {
  const auto uri = message.params.find("uri");
  if (uri == message.params.end() || !uri->is_string()) {
    throw RpcError(k_invalid_params, message.method + ": 'uri' is a text and must be there");
  }
  return uri->get<std::string>();
}

/// Of those that are wanted, the ones that there are.
std::set<std::string> known_uris(const Message& message, const std::string& project_path) {
  const auto filter = message.params.find("notifications");
  if (filter == message.params.end() || !filter->is_object()) {
    throw RpcError(k_invalid_params, message.method + ": 'notifications' is an object and must be there");
  }
  const auto wanted = filter->value("resourceSubscriptions", Json::array());
  if (!wanted.is_array()
      || !std::all_of(wanted.begin(), wanted.end(), [](const Json& uri) { return uri.is_string(); })) {
    throw RpcError(k_invalid_params, message.method + ": 'resourceSubscriptions' is a list of addresses");
  }
  std::set<std::string> uris;
  for (const auto& uri : wanted) {
    if (read_of_resource(uri.get<std::string>(), project_path)) {
      uris.insert(uri.get<std::string>());
    }
  }
  return uris;
}

Json updated(const std::string& uri, const Json& meta = nullptr) {
  Json params{{"uri", uri}};
  if (!meta.is_null()) {
    params["_meta"] = meta;
  }
  return notification("notifications/resources/updated", std::move(params));
}

Subscriber listener(
    const Json& id, std::set<std::string> uris, const std::shared_ptr<Request>& request,
    const std::shared_ptr<Connection>& connection) {
  const Json meta{{k_subscription_id, id}};
  Json honoured = Json::object();
  if (!uris.empty()) {
    honoured["resourceSubscriptions"] = uris;
  }
  Subscriber one;
  one.owner = connection->requests().get();
  one.uris = std::move(uris);
  one.is_gone = [request] {
    return request->is_cancelled();
  };
  one.begin = [connection, meta, honoured] {
    connection->send(notification(
        "notifications/subscriptions/acknowledged", {{"_meta", meta}, {"notifications", honoured}}));
  };
  one.changed = [connection, meta](const std::string& uri) {
    connection->send(updated(uri, meta));
  };
  one.end = [request, connection, meta] { // which the request needs
    request->answer({{"_meta", meta}, {"resultType", "complete"}});
  };
  return one;
}

Subscriber subscriber(
    const std::string& uri, const std::shared_ptr<Request>& request,
    const std::shared_ptr<Connection>& connection) {
  Subscriber one;
  one.owner = connection->requests().get();
  one.uris = {uri};
  one.is_gone = [client = std::weak_ptr(connection->requests())] {
    return client.expired();
  };
  one.begin = [request, connection] { // as above
    request->answer(Json::object());
  };
  one.changed = [tell = Connection::notices_of(connection)](const std::string& changed_uri) {
    tell(updated(changed_uri));
  };
  return one;
}

} // namespace

bool Server::subscribe(
    const Message& message, const RequestContext& context, const std::shared_ptr<Request>& request,
    const std::shared_ptr<Connection>& connection) {
  const auto& method = message.method;
  const auto& project_path = m_options.tools.project_path;
  if (method == "subscriptions/listen" && context.era == Era::modern) {
    m_subscriptions.add(listener(*message.id, known_uris(message, project_path), request, connection));
    return true;
  }
  if (method != "resources/subscribe" && method != "resources/unsubscribe") {
    return false;
  }
  if (context.era == Era::modern) {
    return false; // says that there is no such method
  }
  const auto uri = uri_of(message);
  if (!read_of_resource(uri, project_path)) {
    throw RpcError(k_legacy_resource_not_found, "there is no resource " + uri, {{"uri", uri}});
  }
  m_subscriptions.remove(connection->requests().get(), uri);
  if (method == "resources/unsubscribe") {
    request->answer(Json::object());
  } else {
    m_subscriptions.add(subscriber(uri, request, connection));
  }
  return true;
}

} // namespace pyro::mcp
