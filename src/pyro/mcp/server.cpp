#include "server.hpp"

#include "introduction.hpp"
#include "prompts.hpp"
#include "resources.hpp"
#include "tool_results.hpp"

#include <pyro/base/error.hpp>

#include <thread>
#include <utility>

namespace pyro::mcp {

namespace {

constexpr std::int64_t k_list_ttl_ms = 3'600'000; // lists do not change while a server runs

/// A result as its era has it.
Json in_era(Json result, const RequestContext& context) {
  if (context.era == Era::modern && !result.contains("resultType")) {
    result["resultType"] = "complete";
  }
  return result;
}

Json cacheable(Json result, const RequestContext& context, std::int64_t ttl_ms, std::string_view scope) {
  if (context.era == Era::modern) {
    result["ttlMs"] = ttl_ms;
    result["cacheScope"] = scope;
  }
  return in_era(std::move(result), context);
}

std::string text_parameter(const Json& params, const char* name, const std::string& method) {
  const auto found = params.find(name);
  if (found == params.end() || !found->is_string()) {
    throw RpcError(k_invalid_params, method + ": '" + name + "' is a text and must be there");
  }
  return found->get<std::string>();
}

Json object_parameter(const Json& params, const char* name, const std::string& method) {
  auto value = params.value(name, Json::object());
  if (!value.is_object()) {
    throw RpcError(k_invalid_params, method + ": '" + name + "' is an object");
  }
  return value;
}

Json refused(const Error& error) {
  return tool_result({false, to_json(error), false});
}

} // namespace

Server::Server(operations::Caller& caller, ServerOptions options)
    : m_options(std::move(options)), m_tools(m_options.tools),
      m_calls(caller, m_options.settings, m_options.calls_directory),
      m_subscriptions(m_calls, m_options.tools.project_path) {
}

Server::~Server() {
  std::ignore = m_calls.stop({});
  std::unique_lock lock(m_mutex);
  m_fewer.wait(lock, [this] { return m_in_background == 0; });
}

bool Server::stop(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  const bool is_told = m_subscriptions.end(patience);
  if (!m_calls.stop(patience) || !is_told) {
    return false;
  }
  std::unique_lock lock(m_mutex);
  return m_fewer.wait_until(lock, end, [this] { return m_in_background == 0; });
}

void Server::handle(const Json& document, const std::shared_ptr<Connection>& connection) {
  if (document.is_array()) {
    handle_batch(document, connection);
    return;
  }
  Json id;
  try {
    const auto message = read_message(document);
    if (!message) {
      return;
    }
    if (!message->id) {
      handle_notification(*message, *connection);
      return;
    }
    id = *message->id;
    handle_request(*message, connection);
  } catch (const RpcError& error) {
    connection->send(error_message(id, error));
  }
}

/// Answers of a batch (revision 2025-03-26) come together, when the last is there.
void Server::handle_batch(const Json& batch, const std::shared_ptr<Connection>& connection) {
  if (batch.empty()) {
    connection->send(error_message(nullptr, RpcError(k_invalid_request, "a batch has at least one message")));
    return;
  }

  struct Gathered {
    std::mutex mutex;
    Json answers = Json::array();
    std::size_t wanted = 0;
  };

  auto gathered = std::make_shared<Gathered>();
  for (const auto& one : batch) {
    gathered->wanted += !one.is_object() || !one.contains("method") || one.contains("id") ? 1 : 0;
  }
  const auto send_if_complete = [gathered, connection] {
    if (gathered->answers.size() < gathered->wanted) {
      return;
    }
    if (gathered->answers.empty()) {
      connection->tell_withdrawn();
    } else {
      connection->send(gathered->answers);
    }
  };
  Outlet outlet;
  outlet.send = [gathered, connection, send_if_complete](const Json& message) {
    if (message.contains("method")) {
      connection->send(message);
      return;
    }
    const std::lock_guard guard(gathered->mutex);
    gathered->answers.push_back(message);
    send_if_complete();
  };
  outlet.withdrawn = [gathered, send_if_complete] {
    const std::lock_guard guard(gathered->mutex);
    --gathered->wanted;
    send_if_complete();
  };
  outlet.notify = Connection::notices_of(connection);
  auto part = std::make_shared<Connection>(std::move(outlet), connection->requests());
  for (const auto& one : batch) {
    if (one.is_array()) {
      part->send(error_message(nullptr, RpcError(k_invalid_request, "a batch within a batch")));
    } else {
      handle(one, part);
    }
  }
}

void Server::handle_notification(const Message& message, Connection& connection) {
  if (message.method != "notifications/cancelled") {
    return; // initialized, roots and what later revisions have: nothing to do
  }
  const auto id = message.params.find("requestId");
  if (id == message.params.end()) {
    return;
  }
  if (const auto request = connection.requests()->find(*id)) {
    request->cancel();
  }
}

void Server::handle_request(const Message& message, const std::shared_ptr<Connection>& connection) {
  const auto context = context_of(message.params);
  const auto request = connection->requests()->open(*connection, *message.id, context.progress_token);
  try {
    if (subscribe(message, context, request, connection)) {
      return;
    }
    if (auto known = immediate(message, context)) {
      request->answer(std::move(*known));
    } else {
      in_background(message, context, request, connection);
    }
  } catch (const RpcError& error) {
    request->fail(error);
  } catch (const Error& error) { // a task that cannot be told, too many subscriptions
    request->fail(RpcError(k_invalid_params, error.what()));
  }
}

std::optional<Json> Server::immediate(const Message& message, const RequestContext& context) const {
  const auto& method = message.method;
  const bool is_modern = context.era == Era::modern;
  if (method == "tools/call" || method == "resources/read") {
    return std::nullopt;
  }
  if (method == "initialize" && !is_modern) {
    return initialize_result(message.params);
  }
  if (method == "ping" && !is_modern) {
    return Json::object();
  }
  if (method == "server/discover") {
    return cacheable(discover_result(), {Era::modern, false, nullptr}, k_list_ttl_ms, "public");
  }
  if (method == "tools/list") {
    return cacheable({{"tools", m_tools.definitions()}}, context, k_list_ttl_ms, "public");
  }
  if (method == "resources/list") {
    return cacheable({{"resources", resource_list()}}, context, k_list_ttl_ms, "public");
  }
  if (method == "resources/templates/list") {
    return cacheable({{"resourceTemplates", resource_template_list()}}, context, k_list_ttl_ms, "public");
  }
  if (method == "prompts/list") {
    return cacheable({{"prompts", prompt_list()}}, context, k_list_ttl_ms, "public");
  }
  if (method == "prompts/get") {
    return in_era(
        prompt_of(
            text_parameter(message.params, "name", method),
            object_parameter(message.params, "arguments", method)),
        context);
  }
  if (method == "tasks/get" && is_modern) {
    return in_era(find_task(message.params), context);
  }
  if (method == "tasks/update" && is_modern) {
    std::ignore = find_task(message.params); // no task of ours asks for input
    return in_era(Json::object(), context);
  }
  if (method == "tasks/cancel" && is_modern) {
    return in_era(cancel_task(message.params), context);
  }
  throw RpcError(k_method_not_found, "there is no method '" + method + "'");
}

void Server::in_background(
    const Message& message, const RequestContext& context, const std::shared_ptr<Request>& request,
    const std::shared_ptr<Connection>& connection) {
  {
    const std::lock_guard guard(m_mutex);
    ++m_in_background;
  }
  std::thread([this, message, context, request, connection] {
    try {
      const bool is_call = message.method == "tools/call";
      auto result = is_call ? call_tool(message.params, context, request)
                            : read_resource(message.params, context, *request);
      if (is_call) {
        m_subscriptions.look_now();
      }
      request->answer(in_era(std::move(result), context));
    } catch (const RpcError& error) {
      request->fail(error);
    } catch (const Error& error) {
      request->answer(in_era(refused(error), context));
    } catch (const std::exception& error) {
      request->fail(RpcError(k_internal_error, error.what()));
    }
    const std::lock_guard guard(m_mutex);
    --m_in_background;
    m_fewer.notify_all();
  }).detach();
}

Json Server::call_tool(
    const Json& params, const RequestContext& context, const std::shared_ptr<Request>& request) {
  const auto name = text_parameter(params, "name", "tools/call");
  auto arguments = object_parameter(params, "arguments", "tools/call");
  if (!m_tools.has(name)) {
    throw Error(ErrorCode::invalid_argument, "{}", m_tools.unknown(name));
  }
  if (name == k_call_wait) {
    return wait_for_call(arguments, context, *request);
  }
  const auto call = m_calls.begin(
      name, m_tools.parameters_for(name, std::move(arguments)),
      [request](const operations::Event& event) { request->tell_progress(event.text); });
  return outcome_or_handle(call, context, *request, true);
}

/// The result where it is there in time. Who withdraws the request ends the call, but not one of many who
/// wait.
Json Server::outcome_or_handle(
    const std::shared_ptr<Call>& call, const RequestContext& context, const Request& request,
    bool may_become_task) {
  const bool as_task = may_become_task && context.takes_tasks;
  const auto outcome = call->wait_for(
      as_task ? m_options.task_after : m_options.patience, [&] { return request.is_cancelled(); });
  if (outcome) {
    return tool_result(*outcome);
  }
  if (request.is_cancelled()) {
    if (may_become_task) {
      call->cancel();
    }
    return Json::object(); // is not sent
  }
  m_calls.keep(call);
  if (!as_task) {
    return pending_result(*call);
  }
  auto task = task_of(*call);
  task.erase("result"); // it may have ended meanwhile: tasks/get has it
  task["resultType"] = "task";
  return task;
}

Json Server::wait_for_call(const Json& arguments, const RequestContext& context, const Request& request) {
  const auto id = arguments.find("call_id");
  if (id == arguments.end() || !id->is_string()) {
    throw Error(ErrorCode::invalid_argument, "call_wait: 'call_id' is missing")
        .with_hint("it stands in \"pending\" of the answer of a call that goes on");
  }
  const auto call = m_calls.find(id->get<std::string>());
  if (!call) {
    throw Error(ErrorCode::not_found, "there is no call '{}'", id->get<std::string>())
        .with_hint("results are kept for an hour");
  }
  if (bool_or(arguments, "cancel", false)) {
    call->cancel();
  }
  return outcome_or_handle(call, context, request, false);
}

Json Server::read_resource(const Json& params, const RequestContext& context, const Request& request) {
  const auto uri = text_parameter(params, "uri", "resources/read");
  const int not_found = context.era == Era::modern ? k_invalid_params : k_legacy_resource_not_found;
  const auto read = read_of_resource(uri, m_options.tools.project_path);
  if (!read) {
    throw RpcError(not_found, "there is no resource " + uri, {{"uri", uri}});
  }
  const auto call = m_calls.begin(read->operation, read->parameters, {});
  const auto outcome = call->wait_for(m_options.patience, [&] { return request.is_cancelled(); });
  if (!outcome) {
    call->cancel();
    throw RpcError(k_internal_error, "reading " + uri + " took too long");
  }
  if (!outcome->ok) {
    const auto error = error_from_json(outcome->value);
    const bool is_absent =
        error.code() == ErrorCode::not_found || error.code() == ErrorCode::invalid_argument;
    throw RpcError(is_absent ? not_found : k_internal_error, error.what(), {{"uri", uri}});
  }
  return cacheable(
      {{"contents",
        Json::array(
            {{{"uri", uri}, {"mimeType", "application/json"}, {"text", dump_json(outcome->value)}}})}},
      context, 0, "private");
}

Json Server::find_task(const Json& params) const {
  const auto id = text_parameter(params, "taskId", "tasks/get");
  const auto call = m_calls.find(id);
  if (!call) {
    throw RpcError(k_invalid_params, "there is no task " + id);
  }
  return task_of(*call);
}

Json Server::cancel_task(const Json& params) const {
  const auto call = m_calls.find(text_parameter(params, "taskId", "tasks/cancel"));
  if (!call) {
    throw RpcError(k_invalid_params, "there is no such task");
  }
  call->cancel();
  return Json::object();
}

} // namespace pyro::mcp
