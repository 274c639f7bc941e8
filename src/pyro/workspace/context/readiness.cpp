#include "readiness.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <regex.h>

namespace pyro::workspace {

namespace {

using protocol::Probe;
using protocol::ProbeKind;

constexpr std::int64_t k_tcp_attempt_ms = 1000;
constexpr std::int64_t k_http_attempt_ms = 2000;
constexpr std::int64_t k_command_attempt_ms = 10'000;
constexpr std::int64_t k_most_seconds = 24 * 3600;
constexpr std::int64_t k_most_interval_ms = 60'000;
constexpr std::size_t k_most_pattern = 1024;

std::string required(const Json& readiness, std::string_view key, std::string_view type) {
  auto text = string_or(readiness, key, "");
  if (text.empty()) {
    throw Error(ErrorCode::invalid_argument, "{} is required for {} readiness", key, type);
  }
  return text;
}

/// 0 for what is no port.
int port_of(std::string_view text) {
  const auto port = whole_number<int>(text).value_or(0);
  return port >= 1 && port <= 65535 ? port : 0;
}

/// HOST:PORT or [ADDRESS]:PORT; without a port `otherwise` where that is not 0.
void take_address(Probe& probe, std::string_view text, int otherwise, std::string_view what) {
  const auto colon = text.rfind(':');
  const bool in_brackets = text.starts_with('[') && text.ends_with(']');
  auto host = text;
  auto port = otherwise;
  if (colon != std::string_view::npos && !in_brackets) {
    host = text.substr(0, colon);
    port = port_of(text.substr(colon + 1));
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || port == 0) {
    throw Error(ErrorCode::invalid_argument, "{} must be in HOST:PORT format, not '{}'", what, text);
  }
  probe.host = host;
  probe.port = port;
}

void take_url(Probe& probe, std::string_view url) {
  constexpr std::string_view k_scheme = "http://";
  if (!url.starts_with(k_scheme)) {
    throw Error(ErrorCode::invalid_argument, "url must begin with http://, not '{}'", url)
        .with_hint("for https: command readiness with a client that is in the workspace");
  }
  url.remove_prefix(k_scheme.size());
  const auto slash = std::min(url.find_first_of("/?"), url.size());
  take_address(probe, url.substr(0, slash), 80, "the host of url");
  const auto path = url.substr(slash, url.substr(slash).find('#'));
  probe.http_path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  for (const char letter : probe.http_path) {
    if (static_cast<unsigned char>(letter) <= 0x20 || letter == 0x7f) {
      throw Error(ErrorCode::invalid_argument, "url must not hold spaces and control characters");
    }
  }
}

void check_pattern(const std::string& pattern) {
  regex_t compiled;
  if (const auto error = ::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB)) {
    char text[256];
    ::regerror(error, &compiled, text, sizeof(text));
    throw Error(ErrorCode::invalid_argument, "pattern '{}' is no regular expression: {}", pattern, text);
  }
  ::regfree(&compiled);
}

void take_log(Probe& probe, const Json& readiness) {
  probe.pattern = string_or(readiness, "text", "");
  if (probe.pattern.empty()) {
    probe.pattern = required(readiness, "pattern", "log");
    probe.regex = true;
    check_pattern(probe.pattern);
  }
  if (probe.pattern.size() > k_most_pattern) {
    throw Error(ErrorCode::invalid_argument, "a pattern must have at most {} characters", k_most_pattern);
  }
}

} // namespace

std::optional<Probe> readiness_probe(
    const Json& readiness, const std::string& root, std::int64_t timeout_seconds, std::int64_t interval_ms) {
  if (timeout_seconds <= 0 || timeout_seconds > k_most_seconds) {
    throw Error(
        ErrorCode::invalid_argument, "ready_timeout_seconds must be positive, at most {}", k_most_seconds);
  }
  if (interval_ms <= 0 || interval_ms > k_most_interval_ms) {
    throw Error(
        ErrorCode::invalid_argument, "ready_interval_ms must be positive, at most {}", k_most_interval_ms);
  }
  if (readiness.is_null()) {
    return std::nullopt;
  }
  Probe probe;
  probe.interval_ms = interval_ms;
  probe.deadline_ms = timeout_seconds * 1000;
  const auto type = string_or(readiness, "type", "");
  if (type == "file") {
    probe.kind = ProbeKind::file;
    const auto path = required(readiness, "path", type);
    probe.file = path.front() == '/' ? path : root + "/" + path;
  } else if (type == "tcp") {
    probe.kind = ProbeKind::tcp;
    probe.timeout_ms = k_tcp_attempt_ms;
    take_address(probe, required(readiness, "address", type), 0, "address");
  } else if (type == "http") {
    probe.kind = ProbeKind::http;
    probe.timeout_ms = k_http_attempt_ms;
    take_url(probe, required(readiness, "url", type));
  } else if (type == "command") {
    probe.kind = ProbeKind::exec;
    probe.timeout_ms = k_command_attempt_ms;
    probe.argv = {"/bin/sh", "-c", required(readiness, "command", type)};
  } else if (type == "log") {
    probe.kind = ProbeKind::log;
    take_log(probe, readiness);
  } else {
    throw Error(
        ErrorCode::invalid_argument, "readiness type must be one of: file, tcp, http, command, log; not '{}'",
        type);
  }
  return probe;
}

} // namespace pyro::workspace
