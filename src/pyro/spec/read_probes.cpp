#include "read_parts.hpp"

#include <algorithm>
#include <regex>

namespace pyro::spec {

namespace {

std::vector<StatusRange> read_status(Context& context, MapReader& http) {
  std::vector<StatusRange> ranges;
  const auto address = http.address_of("status");
  const auto read_one = [&](const Node& node) {
    const auto text = read_text(context, node, address);
    if (!text) {
      return;
    }
    const auto dash = text->find('-');
    Node first = node;
    Node last = node;
    first.text = text->substr(0, dash);
    last.text = dash == std::string::npos ? first.text : text->substr(dash + 1);
    const auto low = read_integer(context, first, address, 100, 599);
    const auto high = low ? read_integer(context, last, address, 100, 599) : std::nullopt;
    if (low && high && *low <= *high) {
      ranges.push_back({*low, *high});
    } else if (low && high) {
      context.error(node, "value", address, fmt::format("'{}' is an empty range", *text));
    }
  };
  if (const Node* node = http.value("status")) {
    if (node->is_list() && node->items.empty()) {
      context.error(*node, "value", address, "no status is one that would do", "list some, or leave it out");
    } else if (node->is_list()) {
      http.each_item("status", [&](const Node& item, std::size_t) { read_one(item); });
    } else {
      read_one(*node);
    }
  }
  return ranges.empty() ? std::vector{StatusRange{}} : ranges;
}

/// An IPv6 address as it stands before a port: "[::1]".
std::string without_brackets(const std::string& host) {
  const bool has = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return has ? host.substr(1, host.size() - 2) : host;
}

HttpProbe read_http(Context& context, MapReader& probe) {
  HttpProbe result;
  const Node* node = probe.value("http");
  if (!node) {
    return result;
  }
  MapReader reader(context, *node, probe.address_of("http"), "http");
  reader.string("host", result.host);
  reader.integer("port", result.port);
  reader.string("scheme", result.scheme);
  reader.string("path", result.path);
  reader.string("method", result.method);
  std::size_t unused = 0;
  for (const auto* key : {"scheme", "method"}) {
    unused = reader.choice_index(key).value_or(unused);
  }
  result.status = read_status(context, reader);
  reader.string_map("headers", result.headers);
  for (const auto& [name, value] : result.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos || name.empty()
        || name.find_first_of(" :") != std::string::npos) {
      const auto address = join(reader.address_of("headers"), name);
      context.error_at(
          context.positions[address], "value", address, fmt::format("'{}' is no header", name),
          "no blank and no colon in its name, no line end in it");
    }
  }
  if (!result.path.starts_with("/") || result.path.find_first_of(" \r\n") != std::string::npos) {
    reader.error("path", "value", fmt::format("'{}' is no path", result.path), "start with '/'");
  }
  result.host = without_brackets(result.host);
  if (result.host.empty() || result.host.find_first_of(" /\r\n") != std::string::npos) {
    reader.error("host", "value", fmt::format("'{}' is no host", result.host), "a name or address only");
  }
  return result;
}

TcpProbe read_tcp(Context& context, MapReader& probe) {
  TcpProbe result;
  const Node* node = probe.value("tcp");
  std::string text;
  probe.string("tcp", text);
  if (!node || !node->is_scalar()) {
    return result;
  }
  const auto colon = text.rfind(':');
  Node port = *node;
  if (colon != std::string::npos) {
    result.host = without_brackets(text.substr(0, colon));
    port.text = text.substr(colon + 1);
    if (result.host.empty() || result.host.find_first_of(" /") != std::string::npos) {
      probe.error("tcp", "value", fmt::format("'{}' is neither a port nor host:port", text));
    }
  }
  result.port = read_integer(context, port, probe.address_of("tcp"), 1, 65535).value_or(0);
  return result;
}

LogProbe read_log(MapReader& probe) {
  std::string text;
  probe.string("log", text);
  const bool regex = text.size() > 2 && text.starts_with('/') && text.ends_with('/');
  LogProbe result{regex ? text.substr(1, text.size() - 2) : text, regex};
  if (result.pattern.empty() || result.pattern.size() > 1000) {
    probe.error("log", "value", "expected 1 to 1000 characters");
  } else if (regex) {
    try {
      const std::regex check(result.pattern, std::regex::extended);
    } catch (const std::regex_error& problem) {
      probe.error(
          "log", "value", fmt::format("'{}' is no POSIX extended expression: {}", text, problem.what()));
    }
  }
  return result;
}

/// Reads the one check of a probe; says so if there is none or more than one.
std::optional<Check> read_check(Context& context, MapReader& probe) {
  const auto ways = probe.ways();
  const auto kinds = fmt::format("{}", fmt::join(ways, ", "));
  std::vector<std::string> given;
  for (const auto& entry : probe.node().entries) {
    if (std::find(ways.begin(), ways.end(), entry.key) != ways.end()) {
      given.push_back(entry.key);
      context.positions[probe.address_of(entry.key)] = entry.key_place;
    }
  }
  if (given.empty()) {
    if (probe.node().is_map()) {
      context.error(probe.node(), "probe", probe.address(), fmt::format("a probe needs one of: {}", kinds));
    }
    return std::nullopt;
  }
  if (given.size() > 1) {
    const auto& first = context.positions[probe.address_of(given[0])];
    const auto& second = context.positions[probe.address_of(given[1])];
    context.error_at(
        second, "probe", probe.address(),
        fmt::format(
            "exactly one of: {}; here are '{}' ({}) and '{}' ({})", kinds, given[0], to_string(first),
            given[1], to_string(second)),
        "keep one of them");
    context.diagnostics.back().other = first;
    return std::nullopt;
  }
  if (given[0] == "exec") {
    ExecProbe exec;
    probe.command("exec", exec.command);
    return exec;
  }
  if (given[0] == "http") {
    return read_http(context, probe);
  }
  if (given[0] == "tcp") {
    return read_tcp(context, probe);
  }
  if (given[0] == "file") {
    FileProbe file;
    probe.string("file", file.path);
    if (file.path.empty()) {
      probe.error("file", "value", "an empty path names nothing");
    }
    return file;
  }
  return read_log(probe);
}

void check_positive(MapReader& probe, std::string_view key, const std::optional<milliseconds>& value) {
  if (value && value->count() <= 0) {
    probe.error(key, "value", "must be longer than nothing");
  }
}

} // namespace

std::optional<Readiness> read_readiness(Context& context, MapReader& service) {
  const Node* node = service.value("readiness");
  if (!node) {
    return std::nullopt;
  }
  MapReader reader(context, *node, service.address_of("readiness"), "readiness");
  Readiness result;
  auto check = read_check(context, reader);
  reader.duration("interval", result.interval);
  reader.duration("timeout", result.timeout);
  reader.duration("deadline", result.deadline);
  reader.integer("successes", result.successes);
  reader.boolean("watch", result.watch);
  check_positive(reader, "interval", result.interval);
  check_positive(reader, "timeout", result.timeout);
  check_positive(reader, "deadline", result.deadline);
  if (reader.has("timeout") && result.timeout > result.deadline) {
    reader.error(
        "timeout", "no_effect", "one try may take longer than 'deadline', so this has no effect",
        "lower it, or raise 'deadline'");
  }
  if (result.interval && *result.interval > result.deadline) {
    reader.error(
        "interval", "no_effect", "'deadline' is over before a second try, so this has no effect",
        "lower it, or raise 'deadline'");
  }
  if (!check) {
    return std::nullopt;
  }
  if (std::holds_alternative<LogProbe>(*check)) {
    for (const auto* key : {"timeout", "successes", "watch"}) {
      if (reader.has(key)) {
        reader.error(
            key, "no_effect", fmt::format("'{}' has no effect on a log probe: its line comes once", key),
            "remove it");
      }
    }
  }
  result.check = std::move(*check);
  return result;
}

std::optional<Liveness> read_liveness(Context& context, MapReader& service) {
  const Node* node = service.value("liveness");
  if (!node) {
    return std::nullopt;
  }
  MapReader reader(context, *node, service.address_of("liveness"), "liveness");
  Liveness result;
  auto check = read_check(context, reader);
  reader.duration("interval", result.interval);
  reader.duration("timeout", result.timeout);
  reader.integer("failures", result.failures);
  check_positive(reader, "interval", result.interval);
  check_positive(reader, "timeout", result.timeout);
  if (!check) {
    return std::nullopt;
  }
  result.check = std::move(*check);
  return result;
}

} // namespace pyro::spec
