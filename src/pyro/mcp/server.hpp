// The MCP server without its transport: a message comes in, answers go out through the message's connection.
#pragma once

#include "calls.hpp"
#include "connection.hpp"
#include "revision.hpp"
#include "subscriptions.hpp"
#include "tools.hpp"

#include <chrono>
#include <condition_variable>

namespace pyro::mcp {

struct ServerOptions {
  ToolChoice tools;
  operations::CallSettings settings;
  /// Makes the directory for calls that outlive their server, and names it (kept_calls.hpp).
  std::function<std::string()> calls_directory;
  /// No request is unanswered for longer: what runs on is answered with `pending`. Clients give up after 60
  /// s.
  std::chrono::milliseconds patience{45'000};
  /// A client that takes tasks gets one after so long.
  std::chrono::milliseconds task_after{2'000};
};

class Server {
public:
  Server(operations::Caller& caller, ServerOptions options);
  /// Interrupts calls and waits for the last answers.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Handles what one message holds. Answers may be sent later, by other threads; `connection` lives until
  /// then.
  void handle(const Json& document, const std::shared_ptr<Connection>& connection);

  /// Interrupts all calls; false: some still run after so long.
  bool stop(std::chrono::milliseconds patience);

private:
  void handle_batch(const Json& batch, const std::shared_ptr<Connection>& connection);
  void handle_notification(const Message& message, Connection& connection);
  void handle_request(const Message& message, const std::shared_ptr<Connection>& connection);
  /// What is known at once. nullopt: the method needs an operation.
  std::optional<Json> immediate(const Message& message, const RequestContext& context) const;
  /// What is answered later or more than once. False: it is none of these methods.
  bool subscribe(
      const Message& message, const RequestContext& context, const std::shared_ptr<Request>& request,
      const std::shared_ptr<Connection>& connection);
  void in_background(
      const Message& message, const RequestContext& context, const std::shared_ptr<Request>& request,
      const std::shared_ptr<Connection>& connection);
  Json call_tool(const Json& params, const RequestContext& context, const std::shared_ptr<Request>& request);
  Json wait_for_call(const Json& arguments, const RequestContext& context, const Request& request);
  Json outcome_or_handle(
      const std::shared_ptr<Call>& call, const RequestContext& context, const Request& request,
      bool may_become_task);
  Json read_resource(const Json& params, const RequestContext& context, const Request& request);
  Json find_task(const Json& params) const;
  Json cancel_task(const Json& params) const;

  ServerOptions m_options;
  Tools m_tools;
  Calls m_calls;
  Subscriptions m_subscriptions;
  std::mutex m_mutex; // for all below
  std::condition_variable m_fewer;
  int m_in_background = 0;
};

} // namespace pyro::mcp
