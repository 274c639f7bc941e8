#include "read_parts.hpp"

#include <array>

namespace pyro::spec {

namespace {

constexpr std::array k_signals{"SIGTERM", "SIGINT",  "SIGQUIT",  "SIGHUP",  "SIGKILL",
                               "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGABRT", "SIGSTOP"};

void read_stop(Context& context, MapReader& service, Stop& stop) {
  const Node* node = service.value("stop");
  if (!node) {
    return;
  }
  MapReader reader(context, *node, service.address_of("stop"), "stop");
  reader.string("signal", stop.signal);
  reader.duration("grace", stop.grace);
  if (std::find(k_signals.begin(), k_signals.end(), stop.signal) == k_signals.end()) {
    const auto near = nearest(stop.signal, {k_signals.begin(), k_signals.end()});
    const auto prefixed = std::find(k_signals.begin(), k_signals.end(), "SIG" + stop.signal);
    reader.error(
        "signal", "value", fmt::format("'{}' is no signal that can be used here", stop.signal),
        prefixed != k_signals.end()
            ? fmt::format("write {}", *prefixed)
            : (near.empty() ? "SIGTERM, SIGINT, SIGQUIT, …" : fmt::format("did you mean '{}'?", near)));
  }
}

std::vector<std::string> split_colons(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(':');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::optional<int>
read_port(Context& context, const Node& item, const std::string& text, const std::string& address) {
  Node part = item;
  part.text = text;
  return read_integer(context, part, address, 1, 65535);
}

bool is_ipv4(const std::string& text) {
  int dots = 0;
  int value = -1;
  for (const char c : text + ".") {
    if (c == '.') {
      if (value < 0 || value > 255) {
        return false;
      }
      ++dots;
      value = -1;
    } else if (c >= '0' && c <= '9' && value < 256) {
      value = std::max(value, 0) * 10 + (c - '0');
    } else {
      return false;
    }
  }
  return dots == 4;
}

void read_ports(Context& context, MapReader& service, std::vector<Port>& ports) {
  service.each_item("ports", [&](const Node& item, std::size_t index) {
    const auto address = fmt::format("{}[{}]", service.address_of("ports"), index);
    const auto text = read_text(context, item, address);
    if (!text) {
      return;
    }
    const auto parts = split_colons(*text);
    if (parts.size() > 3 || (parts.size() == 3 && !is_ipv4(parts[0]))) {
      context.error(
          item, "value", address, fmt::format("'{}' is no port", *text),
          "\"8080\", \"3000:8080\" or \"0.0.0.0:3000:8080\"");
      return;
    }
    Port port;
    const auto inner = read_port(context, item, parts.back(), address);
    const auto outer =
        parts.size() > 1 ? read_port(context, item, parts[parts.size() - 2], address) : std::nullopt;
    if (!inner || (parts.size() > 1 && !outer)) {
      return;
    }
    port.port = *inner;
    port.host_port = outer;
    port.address = parts.size() == 3 ? parts[0] : port.address;
    ports.push_back(std::move(port));
  });
}

void read_dependency(
    Context& context, const Node& node, const std::string& address, Dependency& dependency, bool& given) {
  MapReader reader(context, node, address, "dependency");
  reader.choice("condition", dependency.condition);
  reader.boolean("restart", dependency.restart);
  given = reader.has("condition");
}

/// Conditions that are not written are settled in resolve_defaults, when all services are known.
void read_depends_on(Context& context, MapReader& reader, Service& service) {
  const Node* node = reader.value("depends_on");
  if (!node) {
    return;
  }
  if (node->is_list()) {
    reader.each_item("depends_on", [&](const Node& item, std::size_t index) {
      const auto address = fmt::format("{}[{}]", reader.address_of("depends_on"), index);
      if (const auto name = read_text(context, item, address)) {
        service.depends_on.emplace(*name, Dependency{});
        context.positions[join(reader.address_of("depends_on"), *name)] = item.place;
      }
    });
    return;
  }
  if (node->is_scalar()) {
    reader.error(
        "depends_on", "type", "expected a list or a map of services, found a single value",
        fmt::format("write [{}]", node->text));
    return;
  }
  reader.each_named(
      "depends_on", [&](const std::string& name, const Node& value, const std::string& address) {
        bool given = false;
        read_dependency(context, value, address, service.depends_on[name], given);
      });
}

void read_oneshot(Context& context, MapReader& service, Service& result) {
  const Node* node = service.value("oneshot");
  if (!node || !node->is_map()) {
    service.boolean("oneshot", result.oneshot);
    return;
  }
  MapReader reader(context, *node, service.address_of("oneshot"), "oneshot");
  reader.choice("per", result.oneshot_per);
  result.oneshot = true;
}

void read_service(
    Context& context, const std::string& name, const Node& node, const std::string& address, Spec& spec) {
  MapReader reader(context, node, address, "service");
  if (!node.is_map()) {
    return;
  }
  Service& service = spec.services[name];
  service.name = name;
  reader.command("command", service.command);
  reader.user("user", service.user);
  reader.directory("workdir", service.workdir);
  reader.env("env", service.env);
  reader.inputs("env_file", service.env_file);
  reader.names("secrets", service.secrets);
  read_oneshot(context, reader, service);
  read_depends_on(context, reader, service);
  service.readiness = read_readiness(context, reader);
  service.liveness = read_liveness(context, reader);
  reader.choice("restart", service.restart);
  reader.integer("max_restarts", service.max_restarts);
  reader.duration("timeout", service.timeout);
  read_stop(context, reader, service.stop);
  read_ports(context, reader, service.ports);
  reader.string("hint", service.hint);
}

} // namespace

void read_services(Context& context, MapReader& root, Spec& spec) {
  root.each_named("services", [&](const std::string& name, const Node& node, const std::string& address) {
    read_service(context, name, node, address, spec);
  });
}

} // namespace pyro::spec
