#include "compose_parts.hpp"

#include "text_forms.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <regex>

namespace pyro::foreign {

namespace {

using spec::Node;

std::optional<int> port_of(std::string_view text) {
  const auto number = whole_number<int>(text);
  return number && *number >= 1 && *number <= 65535 ? number : std::nullopt;
}

/// "[ADDRESS:][HOST:]INSIDE[/tcp]" as here; nullopt for what cannot be said.
std::optional<std::pair<std::string, int>> port_from(std::string text) {
  if (text.ends_with("/tcp")) {
    text.resize(text.size() - 4);
  }
  const auto parts = fields_of(text, ':');
  if (parts.size() > 3) {
    return std::nullopt;
  }
  const auto inside = port_of(parts.back());
  if (!inside) {
    return std::nullopt;
  }
  if (parts.size() == 1) {
    return std::pair(text, *inside);
  }
  const auto& host = parts[parts.size() - 2];
  const bool is_any = host.empty();
  if (!is_any && !port_of(host)) {
    return std::nullopt;
  }
  const auto address =
      parts.size() == 3 && parts[0] != "127.0.0.1" && parts[0] != "localhost" ? parts[0] + ":" : "";
  static const std::regex s_address(R"([0-9]{1,3}(\.[0-9]{1,3}){3}:)");
  if (!address.empty() && (is_any || !std::regex_match(address, s_address))) {
    return std::nullopt;
  }
  return std::pair(is_any ? parts.back() : address + host + ":" + parts.back(), *inside);
}

std::string port_text(const Node& item) {
  if (item.is_scalar()) {
    return item.text;
  }
  const auto protocol = text_of_node(item.find("protocol"));
  const auto target = text_of_node(item.find("target"));
  const auto published = text_of_node(item.find("published"));
  const auto address = text_of_node(item.find("host_ip"));
  return fmt::format(
      "{}{}{}{}", address.empty() ? "" : address + ":", published.empty() ? "" : published + ":", target,
      protocol.empty() || protocol == "tcp" ? "" : "/" + protocol);
}

/// A request that curl or wget makes, as a probe of our own: no program is needed for it inside.
std::optional<std::string> http_probe(const std::string& command) {
  static const std::regex s_request(
      R"((?:^|\s)(?:curl|wget)\s[^|;&]*https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::([0-9]{1,5}))?(/[A-Za-z0-9_./-]*)?(?:['"\s]|$))");
  std::smatch parts;
  if (command.size() > 500 || command.find("https://") != std::string::npos
      || !std::regex_search(command, parts, s_request)) {
    return std::nullopt;
  }
  const auto port = parts[1].matched ? port_of(parts[1].str()) : std::optional(80);
  if (!port) {
    return std::nullopt;
  }
  const auto path = parts[2].matched ? parts[2].str() : std::string("/");
  return fmt::format("http: {{port: {}, path: {}}}", *port, quoted(path));
}

void read_healthcheck(const Node& service, DraftService& made) {
  const auto* check = service.find("healthcheck");
  if (check == nullptr || text_of_node(check->find("disable")) == "true") {
    return;
  }
  const auto* test = check->find("test");
  auto words = texts_of_node(test);
  if (words.empty() || words.front() == "NONE") {
    return;
  }
  const bool is_direct = words.front() == "CMD";
  if (words.front() == "CMD" || words.front() == "CMD-SHELL") {
    words.erase(words.begin());
  }
  for (auto& word : words) {
    word = from_compose_variables(word);
  }
  if (words.empty()) {
    return;
  }
  const auto shell = is_direct ? shell_text(words) : words.front();
  const auto http = http_probe(is_direct ? fmt::format("{}", fmt::join(words, " ")) : shell);
  auto fields = http.value_or("exec: " + (is_direct ? quoted_list(words) : quoted(shell)));
  const auto interval = milliseconds_of(text_of_node(check->find("interval"))).value_or(30'000);
  const auto start = milliseconds_of(text_of_node(check->find("start_period"))).value_or(0);
  const auto retries = whole_number<std::int64_t>(text_of_node(check->find("retries"))).value_or(3);
  const auto timeout = milliseconds_of(text_of_node(check->find("timeout")));
  constexpr std::int64_t k_usual = 60'000;
  constexpr std::int64_t k_longest = 600'000;
  const auto total =
      std::clamp(start + interval * std::clamp<std::int64_t>(retries, 1, 100), k_usual, k_longest);
  if (total != k_usual) {
    fields += fmt::format(", deadline: {}s", total / 1000);
  }
  if (timeout && *timeout != 2000 && *timeout <= total) {
    fields += ", timeout: " + from_compose_duration(text_of_node(check->find("timeout"))).value();
  }
  made.lines.push_back(fmt::format("readiness: {{{}}}", fields));
}

void read_restart(const Node& service, DraftService& made) {
  const auto text = text_of_node(service.find("restart"));
  if (text == "always" || text == "unless-stopped") {
    made.lines.emplace_back("restart: always");
  } else if (text.starts_with("on-failure")) {
    made.lines.emplace_back("restart: on-failure");
    const auto count = whole_number<int>(text.substr(std::min<std::size_t>(text.size(), 11)));
    if (count && *count > 0 && *count <= 1'000'000) {
      made.lines.push_back(fmt::format("max_restarts: {}", *count));
    }
  }
}

void read_stop(Draft& draft, const Node& service, const std::string& address, DraftService& made) {
  constexpr std::array<std::string_view, 9> k_signals{"SIGTERM", "SIGINT",  "SIGQUIT",  "SIGHUP", "SIGKILL",
                                                      "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGABRT"};
  std::vector<std::string> fields;
  if (const auto* signal = service.find("stop_signal")) {
    const auto text = text_of_node(signal);
    const auto name = text.starts_with("SIG") ? text : "SIG" + text;
    if (std::find(k_signals.begin(), k_signals.end(), name) != k_signals.end()) {
      fields.push_back("signal: " + name);
    } else {
      draft.lost(signal->place, address + ".stop_signal", "SIGTERM, SIGINT, … by name");
    }
  }
  if (const auto grace = from_compose_duration(text_of_node(service.find("stop_grace_period")))) {
    fields.push_back("grace: " + *grace);
  }
  if (!fields.empty()) {
    made.lines.push_back(fmt::format("stop: {{{}}}", fmt::join(fields, ", ")));
  }
}

void read_env_files(Draft& draft, const Node& service, const std::string& address, DraftService& made) {
  const auto* node = service.find("env_file");
  if (node == nullptr) {
    return;
  }
  std::vector<std::string> files;
  const auto add = [&](const Node& item) {
    const auto text = item.is_map() ? text_of_node(item.find("path")) : text_of_node(&item);
    const bool is_optional = item.is_map() && text_of_node(item.find("required")) == "false";
    const auto path = path_below(text);
    if (path.empty() || path.find('$') != std::string::npos || is_optional) {
      draft.lost(
          item.place, address + ".env_file",
          is_optional ? fmt::format("'{}' may be missing there, and must be there here", text)
                      : fmt::format("'{}' is not in the checkout", text));
    } else {
      files.push_back(path);
    }
  };
  if (node->is_list()) {
    std::for_each(node->items.begin(), node->items.end(), add);
  } else {
    add(*node);
  }
  if (!files.empty()) {
    made.lines.push_back("env_file: " + quoted_list(files));
  }
}

void read_service_secrets(Draft& draft, const Node& service, const std::string& address, DraftService& made) {
  const auto* node = service.find("secrets");
  std::vector<std::string> names;
  for (const auto& item : node != nullptr ? node->items : std::vector<Node>{}) {
    const auto name = item.is_map() ? text_of_node(item.find("source")) : text_of_node(&item);
    if (!draft.secrets.contains(name)) {
      draft.lost(item.place, address + ".secrets", fmt::format("where '{}' comes from is not known", name));
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  if (!names.empty()) {
    made.lines.push_back("secrets: " + quoted_list(names));
  }
}

} // namespace

std::map<std::string, std::string>
compose_env(Draft& draft, const Node& service, const std::string& address) {
  std::map<std::string, std::string> env;
  const auto* node = service.find("environment");
  const auto add = [&](const std::string& name, const std::optional<std::string>& value,
                       const Position& place) {
    if (!is_variable_name(name)) {
      draft.lost(place, address + ".environment", fmt::format("'{}' is no name of a variable", name));
    } else {
      env[name] = value ? from_compose_variables(*value) : fmt::format("${{env:{}:-}}", name);
    }
  };
  if (node != nullptr && node->is_map()) {
    for (const auto& entry : node->entries) {
      const bool has_value = entry.value.is_scalar();
      add(entry.key, has_value ? std::optional(entry.value.text) : std::nullopt, entry.key_place);
    }
  } else if (node != nullptr) {
    for (const auto& item : node->items) {
      const auto text = text_of_node(&item);
      const auto equals = text.find('=');
      add(text.substr(0, equals),
          equals == std::string::npos ? std::nullopt : std::optional(text.substr(equals + 1)), item.place);
    }
  }
  return env;
}

std::vector<std::string> compose_ports(
    ComposeImport& import, const Node& service, const std::string& address, const std::string& name) {
  std::vector<std::string> ports;
  const auto* node = service.find("ports");
  for (const auto& item : node != nullptr ? node->items : std::vector<Node>{}) {
    const auto text = port_text(item);
    // A variable's default is what it is where nobody set it.
    static const std::regex s_default(R"(\$\{[A-Za-z0-9_]+:?-([0-9]+)\})");
    const auto port = port_from(std::regex_replace(text.substr(0, 200), s_default, "$1"));
    if (!port) {
      import.draft.lost(
          item.place, address + ".ports", fmt::format("'{}': one TCP port each, \"3000:8080\"", text));
      continue;
    }
    const auto [taken, is_new] = import.ports.emplace(port->second, name);
    if (!is_new) {
      import.draft.lost(
          item.place, address + ".ports",
          fmt::format(
              "{} listens at {} already, and they share a network: give one another port", taken->second,
              port->second));
      continue;
    }
    ports.push_back(port->first);
  }
  return ports;
}

void read_volumes(Draft& draft, const Node& service, const std::string& address, bool is_seed) {
  const auto* node = service.find("volumes");
  for (const auto& item : node != nullptr ? node->items : std::vector<Node>{}) {
    const auto text = text_of_node(&item);
    const auto parts = fields_of(text, ':');
    const auto source =
        item.is_map() ? text_of_node(item.find("source")) : (parts.size() > 1 ? parts[0] : "");
    const auto target =
        item.is_map() ? text_of_node(item.find("target")) : (parts.size() > 1 ? parts[1] : parts[0]);
    const bool is_path = source.starts_with('.') || source.starts_with('/') || source.starts_with('~');
    if (is_seed && (source == "." || source == "./") && target.starts_with('/') && target.size() > 1
        && draft.seed_to.empty()) {
      draft.seed_to = target;
    } else if ((source == "." || source == "./") && target == draft.seed_to) {
      continue; // the same for another service
    } else if (is_path) {
      draft.lost(
          item.place, address + ".volumes",
          fmt::format(
              "{} at {}: the checkout is copied, not mounted; a prepare step puts it there", source, target));
    } else {
      draft.not_needed(item.place, address + ".volumes", "files stay where they are until `pyro reset`");
    }
  }
}

void add_compose_parts(
    ComposeImport& import, const Node& service, const std::string& address, DraftService& made) {
  auto& draft = import.draft;
  read_env_files(draft, service, address, made);
  if (!made.is_commented) {
    if (const auto ports = compose_ports(import, service, address, made.name); !ports.empty()) {
      made.lines.push_back("ports: " + quoted_list(ports));
    }
  }
  read_healthcheck(service, made);
  read_restart(service, made);
  read_stop(draft, service, address, made);
  read_service_secrets(draft, service, address, made);
}

} // namespace pyro::foreign
