#include "http.hpp"

#include "http_access.hpp"
#include "http_metadata.hpp"
#include "http_sessions.hpp"

#include <pyro/base/json_text.hpp>
#include <pyro/http_server/http_server.hpp>

#include <algorithm>
#include <poll.h>

namespace pyro::mcp {

namespace {

using http_server::Answer;
using http_server::Exchange;
using http_server::Fields;
using http_server::HttpRequest;

constexpr int k_poll_ms = 100;
constexpr std::chrono::milliseconds k_farewell{700};
constexpr std::chrono::milliseconds k_last_answers{200};
constexpr const char* k_session_field = "mcp-session-id";

using Target = std::shared_ptr<Exchange>;

std::string event_of(const Json& message) {
  return "event: message\ndata: " + to_line(message) + "\n";
}

void begin_events(Exchange& exchange) {
  exchange.begin_stream(
      {200,
       {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}},
       ""},
      ": \n\n");
}

Answer json_answer(int status, const Json& message, Fields fields = {}) {
  fields.emplace_back("Content-Type", "application/json");
  return {status, std::move(fields), to_line(message)};
}

/// Errors of a modern request are seen without reading its body.
int modern_status(const Json& message) {
  const auto error = message.find("error");
  if (error == message.end()) {
    return 200;
  }
  switch (error->value("code", 0)) {
  case k_method_not_found:
    return 404;
  case k_unsupported_version:
  case k_header_mismatch:
  case k_invalid_request:
    return 400;
  default:
    return 200;
  }
}

bool accepts(const HttpRequest& request, std::string_view type) {
  const auto accepted = request.field("accept");
  return !accepted || accepted->find(type) != std::string::npos || accepted->find("*/*") != std::string::npos;
}

bool wants_answer(const Json& document) {
  if (!document.is_array()) {
    return document.contains("id") && document.contains("method");
  }
  return std::any_of(document.begin(), document.end(), [](const Json& one) {
    return !one.is_object() || !one.contains("method") || one.contains("id");
  });
}

/// Messages for one exchange: the answer alone as a document, or a stream where something comes before it.
Outlet outlet_to(const Target& exchange, std::function<Answer(const Json&)> whole) {
  Outlet outlet;
  outlet.send = [exchange, whole = std::move(whole)](const Json& message) {
    if (message.contains("method")) {
      begin_events(*exchange);
      if (exchange->waiting_bytes() < k_most_unread) {
        exchange->write(event_of(message));
      }
    } else if (exchange->is_streaming()) {
      exchange->write(event_of(message));
      exchange->end_stream();
    } else {
      exchange->answer(whole(message));
    }
  };
  outlet.withdrawn = [exchange] {
    begin_events(*exchange);
    exchange->end_stream();
  };
  return outlet;
}

class HttpFront {
public:
  explicit HttpFront(Server& server) : m_server(server) {}

  void begin(const Target& exchange);

  void end() { m_sessions->end_all(); }

private:
  void post(const Target& exchange);
  void post_modern(const Target& exchange, const Json& document);
  void post_legacy(const Target& exchange, const Json& document);
  void initialize(const Target& exchange, const Json& document);
  void listen(const Target& exchange);
  void end_session(Exchange& exchange);

  Server& m_server;
  /// Notices of subscriptions may come when we have gone.
  std::shared_ptr<HttpSessions> m_sessions = std::make_shared<HttpSessions>();
};

void HttpFront::begin(const Target& exchange) {
  const auto& method = exchange->request().method;
  if (method == "POST") {
    post(exchange);
    return;
  }
  const auto said = exchange->request().field("mcp-protocol-version");
  if (said && !is_legacy_revision(*said)) {
    exchange->answer(refused_with(405, "this revision has POST only", {{"Allow", "POST"}}));
  } else if (!exchange->request().field(k_session_field)) {
    exchange->answer(refused_with(400, "the header field Mcp-Session-Id is missing"));
  } else if (method == "GET") {
    listen(exchange);
  } else {
    end_session(*exchange);
  }
}

void HttpFront::post(const Target& exchange) {
  const auto& request = exchange->request();
  if (!accepts(request, "application/json") || !accepts(request, "text/event-stream")) {
    exchange->answer(refused_with(406, "Accept has to list application/json and text/event-stream"));
    return;
  }
  const auto document = maybe_parse_json(request.body);
  if (!document) {
    exchange->answer(json_answer(
        400, error_message(nullptr, RpcError(k_parse_error, "the body is no JSON, or too deep"))));
    return;
  }
  if (is_modern_request(request, *document)) {
    post_modern(exchange, *document);
  } else {
    post_legacy(exchange, *document);
  }
}

void HttpFront::post_modern(const Target& exchange, const Json& document) {
  Json id;
  try {
    const auto message = read_message(document);
    if (!message) {
      throw RpcError(k_invalid_request, "a client of this revision sends requests and notifications");
    }
    if (!message->id) {
      exchange->answer({202, {}, ""}); // leaving is how a request is withdrawn
      return;
    }
    id = *message->id;
    check_metadata(exchange->request(), *message);
  } catch (const RpcError& error) {
    exchange->answer(json_answer(400, error_message(id, error)));
    return;
  }
  const auto connection = std::make_shared<Connection>(
      outlet_to(exchange, [](const Json& message) { return json_answer(modern_status(message), message); }));
  exchange->when_gone([requests = connection->requests()] { requests->cancel(); });
  m_server.handle(document, connection);
}

void HttpFront::post_legacy(const Target& exchange, const Json& document) {
  if (document.is_object() && document.value("method", Json()) == "initialize") {
    initialize(exchange, document);
    return;
  }
  const auto id = exchange->request().field(k_session_field);
  if (!id) {
    exchange->answer(refused_with(400, "the header field Mcp-Session-Id is missing: initialize gives one"));
    return;
  }
  const auto session = m_sessions->use(*id);
  if (!session) {
    exchange->answer(refused_with(404, "there is no such session: initialize begins one"));
    return;
  }
  if (document.is_array() && session->revision != k_revision_with_batches) {
    exchange->answer(refused_with(400, "revision " + session->revision + " has no batches"));
    return;
  }
  try {
    std::ignore = document.is_array() ? std::nullopt : read_message(document);
  } catch (const RpcError& error) {
    exchange->answer(json_answer(400, error_message(nullptr, error)));
    return;
  }
  if (!wants_answer(document)) {
    m_server.handle(
        document, std::make_shared<Connection>(
                      Outlet{[](const Json&) {
                      }},
                      session->requests));
    exchange->answer({202, {}, ""});
    return;
  }
  auto outlet = outlet_to(exchange, [](const Json& message) { return json_answer(200, message); });
  outlet.notify = [sessions = m_sessions, id = *id](const Json& message) {
    sessions->notify(id, event_of(message));
  };
  m_server.handle(document, std::make_shared<Connection>(std::move(outlet), session->requests));
}

void HttpFront::initialize(const Target& exchange, const Json& document) {
  const auto whole = [this](const Json& message) {
    Fields fields;
    if (message.contains("result")) {
      fields.emplace_back(
          "Mcp-Session-Id", m_sessions->begin(message["result"].value("protocolVersion", "")));
    }
    return json_answer(200, message, std::move(fields));
  };
  m_server.handle(document, std::make_shared<Connection>(outlet_to(exchange, whole)));
  exchange->answer({202, {}, ""}); // as a notification it is nothing
}

void HttpFront::listen(const Target& exchange) {
  const auto id = exchange->request().field(k_session_field).value_or("");
  if (!accepts(exchange->request(), "text/event-stream")) {
    exchange->answer(refused_with(406, "Accept has to list text/event-stream"));
    return;
  }
  if (!m_sessions->listen(id, exchange)) {
    exchange->answer(refused_with(404, "there is no such session: initialize begins one"));
    return;
  }
  exchange->when_gone(
      [sessions = m_sessions, id, stream = exchange.get()] { sessions->forget_stream(id, stream); });
  begin_events(*exchange);
  m_sessions->tell_untold(id);
}

void HttpFront::end_session(Exchange& exchange) {
  const auto id = exchange.request().field(k_session_field).value_or("");
  if (!m_sessions->use(id)) {
    exchange.answer(refused_with(404, "there is no such session"));
    return;
  }
  m_sessions->end(id);
  exchange.answer({200, {}, ""});
}

} // namespace

bool serve_http(Server& server, HttpOptions options, const std::function<bool()>& interrupted) {
  const HttpAccess access(options.address, options.token);
  HttpFront front(server);
  http_server::Handler handler;
  handler.refusal = [&](const HttpRequest& request) {
    return access.refusal(request);
  };
  handler.begin = [&](const Target& exchange) {
    front.begin(exchange);
  };
  http_server::Limits limits;
  limits.body_bytes = k_longest_message;
  http_server::HttpServer http(std::move(options.listener), handler, limits);
  while (!interrupted()) {
    ::poll(nullptr, 0, k_poll_ms);
  }
  http.close_listener();
  const bool is_over = server.stop(k_farewell);
  front.end();
  std::ignore = http.wait_for_answers(k_last_answers);
  return is_over;
}

} // namespace pyro::mcp
