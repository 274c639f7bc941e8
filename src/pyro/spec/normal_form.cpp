#include "normal_form.hpp"

namespace pyro::spec {

namespace {

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json or_null(const std::optional<milliseconds>& value) {
  return value ? Json(value->count()) : Json();
}

Json egress_json(const Egress& egress) {
  return egress.kind == EgressKind::hosts ? Json(egress.hosts) : Json(to_string(egress));
}

/// A cache of the checkout's own is a text, as in the short form.
Json caches_json(const std::vector<CacheDirectory>& caches) {
  Json list = Json::array();
  for (const auto& cache : caches) {
    if (cache.share == CacheShare::checkout) {
      list.push_back(cache.path);
    } else {
      list.push_back({{"path", cache.path}, {"share", name_of(cache.share)}});
    }
  }
  return list;
}

Json step_json(const Step& step) {
  return {
      {"id", step.id},
      {"run", step.run},
      {"user", step.user},
      {"env", step.env},
      {"inputs", step.inputs},
      {"cache", caches_json(step.cache)},
      {"timeout_ms", step.timeout.count()},
      {"retries", step.retries},
      {"secrets", step.secrets},
      {"egress", egress_json(step.egress)}};
}

Json steps_json(const std::vector<Step>& steps) {
  Json list = Json::array();
  for (const auto& step : steps) {
    list.push_back(step_json(step));
  }
  return list;
}

/// Prepare steps reach what network.egress says, which is listed once, there.
Json prepare_json(const std::vector<Step>& steps) {
  Json list = steps_json(steps);
  for (auto& step : list) {
    step.erase("egress");
    if (step["inputs"].empty()) {
      step.erase("inputs");
    }
  }
  return list;
}

struct CheckToJson {
  Json operator()(const ExecProbe& probe) const { return {{"argv", probe.command.argv()}}; }

  Json operator()(const HttpProbe& probe) const {
    Json status = Json::array();
    for (const auto& range : probe.status) {
      status.push_back({range.first, range.last});
    }
    return {{"host", probe.host},     {"port", probe.port}, {"scheme", probe.scheme},  {"path", probe.path},
            {"method", probe.method}, {"status", status},   {"headers", probe.headers}};
  }

  Json operator()(const TcpProbe& probe) const { return {{"host", probe.host}, {"port", probe.port}}; }

  Json operator()(const FileProbe& probe) const { return {{"path", probe.path}}; }

  Json operator()(const LogProbe& probe) const {
    return {{"pattern", probe.pattern}, {"regex", probe.regex}};
  }
};

Json check_json(const Check& check) {
  Json result = std::visit(CheckToJson{}, check);
  result["kind"] = kind_of(check);
  return result;
}

Json ports_json(const std::vector<Port>& ports) {
  Json list = Json::array();
  for (const auto& port : ports) {
    list.push_back({{"address", port.address}, {"host_port", or_null(port.host_port)}, {"port", port.port}});
  }
  return list;
}

/// Everything of a service but user, workdir and env, which may be inherited.
Json service_json(const Service& service) {
  Json depends_on = Json::object();
  for (const auto& [name, dependency] : service.depends_on) {
    depends_on[name] = {{"condition", name_of(dependency.condition)}, {"restart", dependency.restart}};
  }
  Json json{
      {"command", service.command.argv()},
      {"env_file", service.env_file},
      {"secrets", service.secrets},
      {"oneshot", service.oneshot},
      {"depends_on", depends_on},
      {"readiness", service.readiness ? readiness_json(*service.readiness) : Json()},
      {"liveness", service.liveness ? liveness_json(*service.liveness) : Json()},
      {"restart", name_of(service.restart)},
      {"max_restarts", service.max_restarts},
      {"timeout_ms", or_null(service.timeout)},
      {"stop", {{"signal", service.stop.signal}, {"grace_ms", service.stop.grace.count()}}},
      {"ports", ports_json(service.ports)},
      {"hint", service.hint}};
  if (service.oneshot_per != OneshotPer::start) {
    json["oneshot_per"] = name_of(service.oneshot_per);
  }
  return json;
}

Json services_json(const Spec& spec) {
  Json result = Json::object();
  for (const auto& [name, service] : spec.services) {
    Json& entry = result[name] = service_json(service);
    entry["user"] = service.user;
    entry["workdir"] = service.workdir;
    entry["env"] = service.env;
  }
  return result;
}

Json secrets_json(const Spec& spec) {
  Json result = Json::object();
  for (const auto& [name, secret] : spec.secrets) {
    const char* source = secret.source == SecretSource::env
                             ? "env"
                             : (secret.source == SecretSource::file ? "file" : "command");
    auto& json = result[name];
    json = {{source, secret.from}, {"required", secret.required}};
    if (secret.is_for_requests()) {
      json["for"] = secret.hosts;
      json["as"] = {{"header", secret.header}};
      json["allow"] = secret.allow;
      if (secret.prefix) {
        json["as"]["prefix"] = *secret.prefix;
      }
    }
  }
  return result;
}

Json environment_json(const Environment& environment) {
  const auto& resources = environment.resources;
  Json result{
      {"image", environment.image},
      {"platform", environment.platform},
      {"resources",
       {{"cpus", resources.cpus},
        {"memory", resources.memory},
        {"disk", resources.disk},
        {"pids", resources.pids}}},
      {"user", environment.user},
      {"workdir", environment.workdir},
      {"env", environment.env},
      {"setup", steps_json(environment.setup)}};
  if (!environment.ca.empty()) {
    result["ca"] = environment.ca;
  }
  return result;
}

Json git_json(const Seed& seed) {
  return seed.git_history ? Json{{"files", name_of(seed.git)}, {"history", true}} : Json(name_of(seed.git));
}

Json mounts_json(const Spec& spec) {
  Json list = Json::array();
  for (const auto& mount : spec.mounts) {
    list.push_back({{"from", mount.from}, {"to", mount.to}, {"mode", name_of(mount.mode)}});
  }
  return list;
}

Json snapshots_json(const Spec& spec) {
  Json result = Json::object();
  for (const auto& [name, snapshot] : spec.snapshots) {
    result[name] = {{"at", snapshot.at}, {"memory", name_of(snapshot.memory)}};
    if (snapshot.services != CaptureServices::running) {
      result[name]["services"] = name_of(snapshot.services);
    }
  }
  return result;
}

} // namespace

Json readiness_json(const Readiness& readiness) {
  Json result = check_json(readiness.check);
  result["interval_ms"] = or_null(readiness.interval);
  result["timeout_ms"] = readiness.timeout.count();
  result["deadline_ms"] = readiness.deadline.count();
  result["successes"] = readiness.successes;
  result["watch"] = readiness.watch;
  return result;
}

Json liveness_json(const Liveness& liveness) {
  Json result = check_json(liveness.check);
  result["interval_ms"] = liveness.interval.count();
  result["timeout_ms"] = liveness.timeout.count();
  result["failures"] = liveness.failures;
  return result;
}

Json service_definition(const Service& service, const Environment& environment) {
  Json result = service_json(service);
  result["user"] = service.user.empty() ? environment.user : service.user;
  result["workdir"] = service.workdir.empty() ? environment.workdir : service.workdir;
  result["env"] = effective_env(service, environment);
  return result;
}

Json normal_form(const Spec& spec) {
  const auto& lifecycle = spec.lifecycle;
  return {
      {"version", spec.version},
      {"name", spec.name},
      {"description", spec.description},
      {"labels", spec.labels},
      {"secrets", secrets_json(spec)},
      {"isolation", name_of(spec.isolation)},
      {"backend", spec.backend},
      {"environment", environment_json(spec.environment)},
      {"seed",
       {{"from", spec.seed.from},
        {"to", spec.seed.to},
        {"git", git_json(spec.seed)},
        {"exclude", spec.seed.exclude},
        {"owner", spec.seed.owner},
        {"on_change", name_of(spec.seed.on_change)}}},
      {"prepare", prepare_json(spec.prepare)},
      {"services", services_json(spec)},
      {"snapshots", snapshots_json(spec)},
      {"retention",
       {{"keep", spec.retention.keep},
        {"min_age_ms", spec.retention.min_age.count()},
        {"max_size", or_null(spec.retention.max_size)}}},
      {"reset", {{"to", spec.reset.to}, {"undo_ms", spec.reset.undo.count()}}},
      {"drift",
       {{"report", spec.drift.report},
        {"ignore", spec.drift.ignore},
        {"policy", name_of(spec.drift.policy)}}},
      {"network", {{"egress", egress_json(spec.network_egress)}}},
      {"lifecycle",
       {{"ttl_ms", or_null(lifecycle.ttl)},
        {"idle_ms", or_null(lifecycle.idle)},
        {"on_idle", name_of(lifecycle.on_idle)},
        {"on_expire", name_of(lifecycle.on_expire)}}},
      {"mounts", mounts_json(spec)},
  };
}

HexDigest spec_digest(const Spec& spec) {
  return sha256_of(normal_form(spec).dump(-1, ' ', false, Json::error_handler_t::replace));
}

} // namespace pyro::spec
