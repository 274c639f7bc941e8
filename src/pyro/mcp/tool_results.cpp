#include "tool_results.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::mcp {

namespace {

constexpr int k_poll_interval_ms = 1000;
constexpr std::string_view k_how_to_agree = "The same call fails again. Where something would be lost, "
                                            "\"approve\": true agrees; what a file wants of this "
                                            "machine only a person can agree to, with `pyro trust`.";

Json text_block(const std::string& text) {
  return {{"type", "text"}, {"text", operations::to_utf8(text)}};
}

/// "failed: the step 'deps' ended with 1", its output, what was being done, the hint: a line each.
std::string text_of(const Error& error) {
  auto text = fmt::format("{}: {}", name_of(error.code()), error.message());
  if (error.position()) {
    text = to_string(*error.position()) + ": " + text;
  }
  for (const auto& line : error.output()) {
    text += "\n    " + line;
  }
  for (const auto& context : error.context()) {
    text += "\n  " + context;
  }
  if (!error.hint().empty()) {
    text += "\nhint: " + error.hint();
  }
  if (error.code() == ErrorCode::approval_needed) {
    text += fmt::format("\n{}", k_how_to_agree);
  }
  return text;
}

} // namespace

Json tool_result(const CallOutcome& outcome) {
  if (outcome.ok) {
    const auto text = outcome.value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return {
        {"content", Json::array({text_block(text)})},
        {"structuredContent", outcome.value},
        {"isError", false}};
  }
  return {
      {"content", Json::array({text_block(text_of(error_from_json(outcome.value)))})},
      {"structuredContent", {{"error", outcome.value}}},
      {"isError", true}};
}

Json pending_result(const Call& call) {
  const auto line = call.last_line();
  return {
      {"content", Json::array({text_block(fmt::format(
                      "{} still runs{}. Call call_wait with call_id \"{}\" for its result.", call.operation(),
                      line.empty() ? "" : " (" + line + ")", call.id()))})},
      {"structuredContent", {{"pending", {{"call_id", call.id()}, {"operation", call.operation()}}}}},
      {"isError", false}};
}

Json task_of(const Call& call) {
  Json task{
      {"taskId", call.id()},
      {"status", "working"},
      {"createdAt", call.began_at()},
      {"lastUpdatedAt", call.changed_at()},
      {"ttlMs", call.kept_for().count()},
      {"pollIntervalMs", k_poll_interval_ms}};
  if (const auto line = call.last_line(); !line.empty()) {
    task["statusMessage"] = operations::to_utf8(line);
  }
  if (const auto outcome = call.wait_for({})) {
    task["status"] = outcome->cancelled ? "cancelled" : "completed";
    if (!outcome->cancelled) {
      task["result"] = tool_result(*outcome);
    }
  }
  return task;
}

} // namespace pyro::mcp
