#include "by_hand.hpp"

#include "attach.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>

#include <unistd.h>

namespace pyro::cli {

namespace {

constexpr std::int64_t k_exec_timeout_seconds = 30;

std::string key_of(std::string_view flag) {
  std::string key(flag);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

/// Both sides of NAME=VALUE; throws Error(usage).
std::pair<std::string, std::string> pair_of(std::string_view flag, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    // Not the text itself: it may be a secret that lost its name.
    throw Error(ErrorCode::usage, "--{} needs the form NAME=VALUE", flag);
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::optional<std::int64_t> number_of(const Session& session, std::string_view flag) {
  const auto text = session.arguments().value(flag);
  if (text.empty()) {
    return std::nullopt;
  }
  const auto number = whole_number<std::int64_t>(text);
  if (!number) {
    throw Error(ErrorCode::usage, "--{}: '{}' is no whole number", flag, text);
  }
  return number;
}

} // namespace

Json by_id(const Session& session) {
  return {{"workspace_id", session.arguments().operands.front()}};
}

void take_number(const Session& session, std::string_view flag, Json& parameters) {
  if (const auto number = number_of(session, flag)) {
    parameters[key_of(flag)] = *number;
  }
}

void take_text(const Session& session, std::string_view flag, Json& parameters) {
  if (const auto text = session.arguments().value(flag); !text.empty()) {
    parameters[key_of(flag)] = text;
  }
}

void take_switch(const Session& session, std::string_view flag, Json& parameters) {
  if (session.arguments().has(flag)) {
    parameters[key_of(flag)] = true;
  }
}

void take_pairs(const Session& session, std::string_view flag, std::string_view key, Json& parameters) {
  for (const auto& text : session.arguments().values(flag)) {
    auto [name, value] = pair_of(flag, text);
    parameters[std::string(key)][name] = value;
  }
}

void take_secrets(Session& session, Json& parameters) {
  for (const auto& text : session.arguments().values("secret")) {
    if (text.find('=') != std::string::npos) {
      auto [name, value] = pair_of("secret", text);
      parameters["secrets"].push_back({{"name", name}, {"value", value}});
      continue;
    }
    const auto value = session.console().environment(text);
    if (!value) {
      throw Error(ErrorCode::usage, "--secret {}: there is no such variable", text)
          .with_hint("--secret NAME=VALUE, or --secret-file NAME=PATH");
    }
    require_utf8(*value, fmt::format("the variable {} (--secret-file takes any bytes)", text));
    parameters["secrets"].push_back({{"name", text}, {"value", *value}});
  }
  for (const auto& text : session.arguments().values("secret-file")) {
    auto [name, path] = pair_of("secret-file", text);
    parameters["secrets"].push_back({{"name", name}, {"file_path", path}});
  }
}

std::map<std::string, std::string> secret_env_of(const Session& session) {
  std::map<std::string, std::string> wanted;
  for (const auto& text : session.arguments().values("secret-env")) {
    const auto equals = text.find('=');
    wanted[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return wanted;
}

void show_made(
    Session& session, const Json& result, std::string_view key,
    const std::function<std::string(const Json&)>& text) {
  if (session.arguments().has("id-only") && session.format() == Format::text) {
    session.finish_progress();
    session.console().out(get_string(result, key) + "\n");
    return;
  }
  session.show(result, text);
}

operations::ExecRequest by_hand_exec_request(const Session& session) {
  const auto& arguments = session.arguments();
  operations::ExecRequest request;
  request.argv = arguments.program;
  request.script = arguments.value("command");
  if (!request.script.empty() && !request.argv.empty()) {
    throw Error(ErrorCode::usage, "give the command either with --command or behind --, not both");
  }
  if (!request.script.empty()) {
    request.argv = {"/bin/sh", "-c", request.script};
  }
  if (request.argv.empty()) {
    throw Error(ErrorCode::usage, "pyro {} needs a command", session.command().name)
        .with_hint("it follows --: pyro … -- COMMAND [ARGUMENT...]");
  }
  request.cwd = arguments.value("cwd");
  for (const auto& text : arguments.values("env")) {
    auto [name, value] = pair_of("env", text);
    request.env[name] = value;
  }
  request.secret_env = secret_env_of(session);
  const auto seconds = number_of(session, "timeout-seconds").value_or(k_exec_timeout_seconds);
  if (seconds <= 0) {
    throw Error(ErrorCode::usage, "--timeout-seconds must be positive");
  }
  request.timeout = std::chrono::seconds(seconds);
  request.poll_control = signals_forwarder();
  return request;
}

operations::ExecStreams own_streams(Session& session) {
  return {session.console().in_terminal ? -1 : STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
}

} // namespace pyro::cli
