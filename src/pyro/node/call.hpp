// One call of a front as it travels to the node: an operation of the table, or one of the engine's streams
// (operations/engine.hpp), with the settings that the front had.
#pragma once

#include <pyro/operations/engine.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace pyro::node {

/// Paths of streams of a session: each call has a number of the front's, and up to four streams.
inline constexpr std::string_view k_call_path = "/call/"; // frames, both ways; opened last
inline constexpr std::string_view k_in_path = "/in/";
inline constexpr std::string_view k_out_path = "/out/";
inline constexpr std::string_view k_err_path = "/err/";
/// Ends at once: whoever opens it hears that the other end is there.
inline constexpr std::string_view k_alive_path = "/alive";

enum class CallKind {
  operation,
  exec,
  shell,
  logs,
  targets, // of port-forward: which ports inside are meant
  copy_in, // copying.hpp, as the next
  copy_out,
};

struct Call {
  CallKind kind = CallKind::operation;
  std::string operation; // its name; of streams empty
  Json parameters;       // of streams: `where`
  Json request;          // of streams: what else they take
  std::chrono::milliseconds lock_timeout{60'000};
  bool color = false;
  bool all_of_plan = false; // PlanText::all
  bool stream_output = false;
  bool can_ask = false; // somebody answers FrameKind::ask
  Json shared_file; // what the front has there, and the node must have too (shared_file.hpp); null: nothing
};

Json to_json(const Call& call);
/// Error(protocol) for what is none.
Call call_from_json(const Json& value);

Json to_json(const operations::ExecRequest& request);
operations::ExecRequest exec_request_from_json(const Json& value);
Json to_json(const operations::ExecResult& result);
operations::ExecResult exec_result_from_json(const Json& value);
Json to_json(const operations::ShellAttachRequest& request);
operations::ShellAttachRequest shell_request_from_json(const Json& value);
Json to_json(const operations::LogRequest& request);
operations::LogRequest log_request_from_json(const Json& value);

} // namespace pyro::node
