#include "applied_spec.hpp"

namespace pyro::spec {

namespace {

Secret secret_from_json(const Json& value) {
  Secret secret;
  secret.required = bool_or(value, "required", true);
  for (const auto& [key, source] :
       {std::pair("env", SecretSource::env), std::pair("file", SecretSource::file),
        std::pair("command", SecretSource::command)}) {
    if (const auto from = maybe_string(value, key)) {
      secret.source = source;
      secret.from = *from;
    }
  }
  secret.hosts = strings_or_empty(value, "for");
  return secret;
}

Retention retention_from_json(const Json& value) {
  Retention retention;
  retention.keep = static_cast<int>(get_int(value, "keep"));
  retention.min_age = milliseconds(get_int(value, "min_age_ms"));
  if (const auto size = maybe_int(value, "max_size")) {
    retention.max_size = static_cast<std::uint64_t>(*size);
  }
  return retention;
}

} // namespace

AppliedSpec applied_spec(const Json& normal_form) {
  AppliedSpec applied;
  if (normal_form.is_null()) {
    return applied;
  }
  applied.description = string_or(normal_form, "description", "");
  if (const auto seed = normal_form.find("seed"); seed != normal_form.end() && seed->is_object()) {
    applied.seed_directory = string_or(*seed, "to", applied.seed_directory);
  }
  for (const auto& [name, definition] : value_at(normal_form, "services").items()) {
    applied.services.push_back(name);
    for (const auto& port : definition.value("ports", Json::array())) {
      applied.service_ports[name].insert(static_cast<int>(get_int(port, "port")));
    }
    const bool has_ports = applied.service_ports.contains(name);
    for (const auto* probe : {"readiness", "liveness"}) {
      const auto check = definition.value(probe, Json());
      const auto kind = check.is_object() ? string_or(check, "kind", "") : "";
      if (kind == "http") {
        applied.http_ports[name].insert(static_cast<int>(get_int(check, "port")));
      }
      if (!has_ports && (kind == "http" || kind == "tcp")) {
        applied.service_ports[name].insert(static_cast<int>(get_int(check, "port")));
      }
    }
  }
  for (const auto& [name, secret] : value_at(normal_form, "secrets").items()) {
    applied.secrets[name] = secret_from_json(secret);
  }
  applied.drift_report = get_strings(value_at(normal_form, "drift"), "report");
  if (const auto found = normal_form.find("retention"); found != normal_form.end()) {
    applied.retention = retention_from_json(*found);
  }
  return applied;
}

} // namespace pyro::spec
