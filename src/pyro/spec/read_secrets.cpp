// secrets, and what of those that the gateway puts into requests no single field can know.
#include "read_parts.hpp"

#include <pyro/base/text.hpp>
#include <pyro/egress/request_pattern.hpp>
#include <pyro/egress/rule.hpp>

#include <array>

namespace pyro::spec {

namespace {

/// These say how a message is read, or whose it is.
constexpr std::array<std::string_view, 8> k_other_headers{
    "connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"};

bool is_header_name(std::string_view text) {
  constexpr std::string_view k_marks = "!#$%&'*+-.^_`|~"; // RFC 9110, 5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || k_marks.find(c) != std::string_view::npos;
  });
}

bool is_withheld(const Context& context, const std::string& text) {
  return !context.withheld.empty() && text.find("${") != std::string::npos;
}

std::string host_from(const std::string& text) {
  const auto rule = egress::rule_from(text);
  if (rule.kind != egress::RuleKind::name && rule.kind != egress::RuleKind::below) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no name: a certificate has to be for it", text)
        .with_hint("a name, or *.NAME for every one below it, and at most a port");
  }
  if (rule.port == egress::k_http_port) {
    throw Error(ErrorCode::invalid_argument, "'{}' is not encrypted: the value is put into TLS only", text)
        .with_hint("leave the port out, which is 443 then, or name one that speaks TLS");
  }
  return egress::to_string(rule);
}

void read_hosts(Context& context, MapReader& reader, Secret& secret) {
  std::vector<std::string> written;
  reader.strings("for", written);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto address = fmt::format("{}[{}]", reader.address_of("for"), i);
    try {
      secret.hosts.push_back(
          written[i].empty() || is_withheld(context, written[i]) ? written[i] : host_from(written[i]));
    } catch (const Error& wrong) {
      secret.hosts.push_back(written[i]);
      context.error_at(context.positions[address], "value", address, wrong.message(), wrong.hint());
    }
  }
  if (reader.has("for") && reader.node().find("for")->is_list() && written.empty()) {
    reader.error("for", "value", "no host: the gateway would put it into nothing", "remove it, or name one");
  }
}

void read_header(Context& context, const Node& node, const std::string& address, Secret& secret) {
  MapReader reader(context, node, address, "request_header");
  reader.string("header", secret.header);
  const auto lower = lower_case(secret.header);
  if (!is_header_name(secret.header)) {
    reader.error("header", "value", fmt::format("'{}' is no name of a header", secret.header));
  } else if (std::find(k_other_headers.begin(), k_other_headers.end(), lower) != k_other_headers.end()) {
    reader.error(
        "header", "value", fmt::format("'{}' says how a request is read, not who sends it", secret.header));
  }
  if (reader.has("prefix")) {
    reader.string("prefix", secret.prefix.emplace());
    const auto is_printable = [](unsigned char c) {
      return c >= ' ' && c < 0x7f;
    };
    if (!std::all_of(secret.prefix->begin(), secret.prefix->end(), is_printable)) {
      reader.error("prefix", "value", "it has letters that no header may have");
    }
  }
}

void read_allowed(Context& context, MapReader& reader, Secret& secret) {
  reader.strings("allow", secret.allow);
  for (std::size_t i = 0; i < secret.allow.size(); ++i) {
    auto& text = secret.allow[i];
    const auto address = fmt::format("{}[{}]", reader.address_of("allow"), i);
    if (text.empty() || is_withheld(context, text)) {
      continue;
    }
    try {
      text = egress::to_string(egress::request_pattern_from(text));
    } catch (const Error& wrong) {
      context.error_at(context.positions[address], "value", address, wrong.message(), wrong.hint());
    }
  }
  if (reader.has("allow") && reader.node().find("allow")->is_list() && secret.allow.empty()) {
    reader.error("allow", "value", "no request: the gateway would put it into nothing", "remove it");
  }
}

void read_secret(Context& context, const Node& node, const std::string& address, Secret& secret) {
  MapReader reader(context, node, address, "secret");
  reader.boolean("required", secret.required);
  int given = 0;
  const auto ways = reader.ways();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (reader.has(ways[i])) {
      ++given;
      secret.source = static_cast<SecretSource>(i); // in the order of the table
      reader.string(ways[i], secret.from);
      if (secret.from.empty()) {
        reader.error(ways[i], "value", "an empty text names nothing");
      }
    }
  }
  if (given != 1 && node.is_map()) {
    context.error(
        node, "value", address, fmt::format("a secret comes from exactly one of: {}", fmt::join(ways, ", ")));
  }
  read_hosts(context, reader, secret);
  if (const Node* as = reader.value("as")) {
    read_header(context, *as, reader.address_of("as"), secret);
  }
  read_allowed(context, reader, secret);
  for (const auto* key : {"as", "allow"}) {
    if (reader.has(key) && !reader.has("for")) {
      reader.error(
          key, "no_effect", fmt::format("'{}' has no effect without 'for'", key),
          "name the hosts that it is for, or remove it");
    }
  }
}

/// Every name that `host` stands for is one that the rule holds.
bool holds(const egress::Rule& rule, const egress::Rule& host) {
  if (!rule.has_port(host.port.value_or(egress::k_https_port))) {
    return false;
  }
  if (host.kind == egress::RuleKind::name) {
    return rule.holds_name(host.name);
  }
  return rule.kind == egress::RuleKind::anything
         || (rule.kind == egress::RuleKind::below
             && (rule.name == host.name || host.name.ends_with("." + rule.name)));
}

bool is_listed(const Context& context, const Egress& egress, const egress::Rule& host) {
  return std::any_of(egress.hosts.begin(), egress.hosts.end(), [&](const std::string& text) {
    return is_withheld(context, text) || holds(egress::rule_from(text), host);
  });
}

void check_hosts(const Spec& spec, const std::string& name, const Secret& secret, Context& context) {
  for (std::size_t i = 0; i < secret.hosts.size(); ++i) {
    const auto& text = secret.hosts[i];
    const auto address = fmt::format("secrets.{}.for[{}]", name, i);
    if (is_withheld(context, text)) {
      continue;
    }
    if (spec.network_egress.kind != EgressKind::hosts) {
      context.error_at(
          spec.place(address), "reference", address,
          fmt::format(
              "secrets are put into requests by the gateway of a list of hosts, and network.egress is '{}'",
              to_string(spec.network_egress)),
          fmt::format("write network: {{egress: [{}]}}", text));
    } else if (!is_listed(context, spec.network_egress, egress::rule_from(text))) {
      context.error_at(
          spec.place(address), "reference", address,
          fmt::format("network.egress does not list {}, so no request reaches it", text),
          fmt::format("add {} there", text));
    }
  }
}

/// Of a set-up step, which has a list of its own: what it is given is of use with one of the hosts at least.
void check_step(const Spec& spec, const Step& step, Context& context) {
  for (const auto& name : step.secrets) {
    const auto secret = spec.secrets.find(name);
    if (secret == spec.secrets.end() || !secret->second.is_for_requests()) {
      continue;
    }
    const auto& hosts = secret->second.hosts;
    const bool is_of_use =
        step.egress.kind == EgressKind::hosts
        && std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
             return is_withheld(context, host) || is_listed(context, step.egress, egress::rule_from(host));
           });
    if (!is_of_use) {
      const auto address = fmt::format("environment.setup.{}.secrets.{}", step.id, name);
      context.error_at(
          spec.place(address), "reference", address,
          fmt::format(
              "secret '{}' is put into requests by the gateway (`for`), and the step's egress lists none of "
              "its "
              "hosts",
              name),
          fmt::format("give the step egress: [{}]", hosts.front()));
    }
  }
}

} // namespace

void read_secrets(Context& context, MapReader& root, Spec& spec) {
  root.each_named("secrets", [&](const std::string& name, const Node& node, const std::string& address) {
    read_secret(context, node, address, spec.secrets[name]);
  });
}

void check_request_secrets(const Spec& spec, Context& context) {
  if (context.has_errors()) {
    return; // of what could not be read nothing can be told
  }
  for (const auto& step : spec.environment.setup) {
    check_step(spec, step, context);
  }
  std::map<std::string, std::string> variables;
  for (const auto& [name, secret] : spec.secrets) {
    if (!secret.is_for_requests()) {
      continue;
    }
    check_hosts(spec, name, secret, context);
    const auto variable = placeholder_variable(name, secret);
    if (const auto [first, is_new] = variables.emplace(variable, name); !is_new) {
      const auto address = "secrets." + name;
      context.error_at(
          spec.place(address), "clash", address,
          fmt::format(
              "its placeholder and that of secret '{}' are both the variable {}", first->second, variable),
          "give one of them another name");
    }
  }
}

} // namespace pyro::spec
