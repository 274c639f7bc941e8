// What no single field can know: references, cycles, fields without effect, clashes.
#include "read_parts.hpp"

#include <pyro/base/path_text.hpp>

namespace pyro::spec {

namespace {

template <typename Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : map) {
    names.push_back(name);
  }
  return names;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const auto near = nearest(word, names);
  if (!near.empty()) {
    return fmt::format("did you mean '{}'?", near);
  }
  return names.empty() ? "none is declared" : fmt::format("known: {}", fmt::join(names, ", "));
}

class Checker {
public:
  Checker(Spec& spec, Context& context) : m_spec(spec), m_context(context) {}

  void run() {
    check_request_secrets(m_spec, m_context);
    check_isolation();
    check_secret_references();
    for (const auto& [name, service] : m_spec.services) {
      check_dependencies(service);
      check_effects(service);
    }
    check_cycles();
    check_host_ports();
    check_snapshots();
    check_stopped_services();
    check_mounts();
    check_caches(m_spec, m_spec.environment.setup, "environment.setup.", m_context);
    check_caches(m_spec, m_spec.prepare, "prepare.", m_context);
    check_prepare_order();
  }

private:
  void error(const std::string& address, std::string code, std::string message, std::string hint = {}) {
    m_context.error_at(m_spec.place(address), std::move(code), address, std::move(message), std::move(hint));
  }

  void check_isolation() {
    const auto& backend = m_spec.backend;
    const auto given = backend == "host"         ? Isolation::host
                       : backend == "namespaces" ? Isolation::sandbox
                                                 : Isolation::vm; // auto chooses what is enough
    if (backend != "auto" && given < m_spec.isolation) {
      error(
          "backend", "value",
          fmt::format(
              "backend '{}' gives isolation '{}', but at least '{}' is asked for", backend, name_of(given),
              name_of(m_spec.isolation)),
          fmt::format("write 'backend: auto', or 'isolation: {}' if that is enough", name_of(given)));
    }
  }

  void check_secret_list(const std::vector<std::string>& secrets, const std::string& address) {
    for (const auto& secret : secrets) {
      if (!m_spec.secrets.contains(secret)) {
        error(
            address + ".secrets." + secret, "reference", fmt::format("secret '{}' is not declared", secret),
            suggestion(secret, names_of(m_spec.secrets)));
        continue;
      }
      const auto& declared = m_spec.secrets.at(secret);
      if (declared.is_for_requests() && address.starts_with("services.")) {
        error(
            address + ".secrets." + secret, "value",
            fmt::format(
                "secret '{}' is put into requests by the gateway (`for`): every process has its placeholder, "
                "in {}",
                secret, placeholder_variable(secret, declared)),
            "remove it here");
      }
    }
  }

  void check_secret_references() {
    for (const auto& step : m_spec.environment.setup) {
      check_secret_list(step.secrets, "environment.setup." + step.id);
    }
    for (const auto& step : m_spec.prepare) {
      check_secret_list(step.secrets, "prepare." + step.id);
    }
    for (const auto& [name, service] : m_spec.services) {
      check_secret_list(service.secrets, "services." + name);
    }
  }

  void check_dependencies(const Service& service) {
    for (const auto& [name, dependency] : service.depends_on) {
      const auto address = fmt::format("services.{}.depends_on.{}", service.name, name);
      const auto found = m_spec.services.find(name);
      if (found == m_spec.services.end()) {
        error(
            address, "reference", fmt::format("there is no service '{}'", name),
            suggestion(name, names_of(m_spec.services)));
        continue;
      }
      const auto& other = found->second;
      if (dependency.condition == Condition::completed && !other.oneshot) {
        error(
            address, "value", fmt::format("'{}' is not meant to end, so it is never completed", name),
            fmt::format("set services.{}.oneshot, or wait for ready", name));
      }
      if (dependency.condition == Condition::ready && other.oneshot) {
        error(
            address, "value", fmt::format("'{}' is a oneshot: it completes and is never ready", name),
            "write 'condition: completed'");
      }
      if (!other.oneshot && !other.readiness) {
        warn_no_probe(address, name);
      }
    }
  }

  void warn_no_probe(const std::string& address, const std::string& name) {
    m_context.warning_at(
        m_spec.place(address), "no_probe", address,
        fmt::format("'{}' has no readiness probe, so it counts as ready after running for a second", name),
        fmt::format("add services.{}.readiness", name));
  }

  void no_effect(const Service& service, const char* key, const char* why) {
    const auto address = fmt::format("services.{}.{}", service.name, key);
    if (m_context.positions.contains(address)) {
      error(address, "no_effect", fmt::format("'{}' has no effect: {}", key, why), "remove it");
    }
  }

  void check_effects(const Service& service) {
    if (service.oneshot) {
      for (const auto* key : {"readiness", "liveness", "ports"}) {
        no_effect(service, key, "a oneshot is waited for until it ends");
      }
      if (service.restart == RestartPolicy::always) {
        error(
            "services." + service.name + ".restart", "value", "a oneshot that is always restarted never ends",
            "use on-failure");
      }
    } else {
      no_effect(
          service, "timeout", "only a oneshot has a time limit; for getting ready it is readiness.deadline");
    }
    if (service.restart == RestartPolicy::no) {
      no_effect(service, "max_restarts", "'restart' is no");
    }
  }

  void check_cycles() {
    enum class Mark { none, open, done };
    std::map<std::string, Mark> marks;
    std::vector<std::string> path;
    const std::function<bool(const std::string&)> visit = [&](const std::string& name) {
      path.push_back(name);
      marks[name] = Mark::open;
      for (const auto& [next, unused] : m_spec.services.at(name).depends_on) {
        if (!m_spec.services.contains(next)) {
          continue;
        }
        if (marks[next] == Mark::open) {
          const auto start = std::find(path.begin(), path.end(), next);
          error(
              fmt::format("services.{}.depends_on.{}", name, next), "cycle",
              fmt::format(
                  "services wait for each other: {} -> {}", fmt::join(start, path.end(), " -> "), next));
          return false;
        }
        if (marks[next] == Mark::none && !visit(next)) {
          return false;
        }
      }
      marks[name] = Mark::done;
      path.pop_back();
      return true;
    };
    for (const auto& [name, unused] : m_spec.services) {
      if (marks[name] == Mark::none && !visit(name)) {
        return;
      }
    }
  }

  void check_host_ports() {
    std::map<int, std::string> owners;
    for (const auto& [name, service] : m_spec.services) {
      for (std::size_t i = 0; i < service.ports.size(); ++i) {
        const auto address = fmt::format("services.{}.ports[{}]", name, i);
        if (!service.ports[i].host_port) {
          continue;
        }
        const auto [first, is_new] = owners.emplace(*service.ports[i].host_port, address);
        if (!is_new) {
          error(
              address, "clash", fmt::format("host port {} is taken by {}", first->first, first->second),
              fmt::format("write \"{}\" for a free host port", service.ports[i].port));
        }
      }
    }
  }

  void check_point(const std::string& address, const std::string& at) {
    std::vector<std::string> points{"image", "setup", "seed", "prepare", "ready"};
    for (const auto& step : m_spec.environment.setup) {
      points.push_back("setup." + step.id);
    }
    for (const auto& step : m_spec.prepare) {
      points.push_back("prepare." + step.id);
    }
    if (std::find(points.begin(), points.end(), at) == points.end()) {
      error(address, "reference", fmt::format("there is no point '{}'", at), suggestion(at, points));
    }
  }

  void check_snapshots() {
    for (const auto& [name, snapshot] : m_spec.snapshots) {
      if (!snapshot.at.empty()) {
        check_point(fmt::format("snapshots.{}.at", name), snapshot.at);
      }
      if (snapshot.memory == MemoryMode::on && snapshot.at != "ready") {
        error(
            fmt::format("snapshots.{}.memory", name), "no_effect",
            "only a snapshot at 'ready' has running processes to keep", "remove it");
      }
    }
    if (!m_spec.reset.to.empty() && m_spec.reset.to != "baseline"
        && !m_spec.snapshots.contains(m_spec.reset.to)) {
      error(
          "reset.to", "reference", fmt::format("there is no snapshot '{}'", m_spec.reset.to),
          suggestion(m_spec.reset.to, names_of(m_spec.snapshots)));
    }
  }

  /// All at the ready point are the same layer, taken in one way.
  void check_stopped_services() {
    const auto stops = stops_for_ready_point(m_spec.snapshots);
    for (const auto& [name, snapshot] : m_spec.snapshots) {
      const auto address = fmt::format("snapshots.{}.services", name);
      const bool is_stopped = snapshot.services == CaptureServices::stopped;
      if (is_stopped && snapshot.at != "ready") {
        error(address, "no_effect", "only at 'ready' there are services to stop", "remove it");
      } else if (is_stopped && snapshot.memory == MemoryMode::on) {
        error(
            fmt::format("snapshots.{}.memory", name), "no_effect",
            "services that are stopped for the snapshot have no memory to keep", "remove one of the two");
      } else if (!is_stopped && snapshot.at == "ready" && stops) {
        error(
            m_context.positions.contains(address) ? address : "snapshots." + name, "clash",
            "another snapshot at 'ready' has its services stopped, and both are one point",
            "write 'services: stopped' here too, or nowhere");
      }
    }
  }

  /// A step with inputs runs before the seed is there, so nothing that needs the seed is there either.
  void check_prepare_order() {
    const auto first_of_all = std::find_if(
        m_spec.prepare.begin(), m_spec.prepare.end(), [](const Step& step) { return step.inputs.empty(); });
    for (auto step = first_of_all; step != m_spec.prepare.end(); ++step) {
      if (!step->inputs.empty()) {
        error(
            fmt::format("prepare.{}.inputs", step->id), "order",
            fmt::format(
                "prepare.{} sees the whole seed, and this step after it only its inputs", first_of_all->id),
            "steps with inputs come first");
      }
    }
  }

  /// Each shows alone what is at its place, and the workspace shows around them.
  void check_mounts() {
    const auto is_refused = [](const std::string& to) {
      return to.empty() || to == "/"; // complained about where it was read
    };
    for (std::size_t i = 0; i < m_spec.mounts.size(); ++i) {
      const auto& to = m_spec.mounts[i].to;
      const auto address = fmt::format("mounts[{}].to", i);
      if (is_refused(to)) {
        continue;
      }
      for (const auto& hidden : {std::string("/workspace"), m_spec.seed.to}) {
        if (is_at_or_below(hidden, to)) {
          error(
              address, "clash", fmt::format("a mount at {} hides {}, the workspace's own files", to, hidden),
              fmt::format("mount below it: {}/src", hidden));
          break;
        }
      }
      if (m_spec.seed.on_change == OnChange::sync && is_at_or_below(to, m_spec.seed.to)) {
        error(
            address, "clash", fmt::format("a seed that is synced cannot have a live directory in it: {}", to),
            "write `seed.on_change: reset` or `keep`, or mount it elsewhere");
      }
      for (std::size_t other = 0; other < i; ++other) {
        const auto& at = m_spec.mounts[other].to;
        if (to == at) {
          error(address, "clash", fmt::format("two mounts at {}", to));
        } else if (!is_refused(at) && (is_at_or_below(to, at) || is_at_or_below(at, to))) {
          error(address, "clash", fmt::format("a mount at {} and one at {} hide each other", to, at));
        }
      }
    }
    constexpr std::size_t k_most = 32; // descriptors that are handed on at once
    if (m_spec.mounts.size() > k_most) {
      error("mounts", "value", fmt::format("more than {} mounts", k_most), "mount what they lie in");
    }
  }

  Spec& m_spec;
  Context& m_context;
};

/// How far along the chain a point is, for "the deepest snapshot".
std::size_t depth_of(const Spec& spec, const std::string& at) {
  const auto index_of = [](const std::vector<Step>& steps, std::string_view id) {
    const auto found =
        std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.id == id; });
    return static_cast<std::size_t>(found - steps.begin()) + 1;
  };
  const std::size_t setup = spec.environment.setup.size();
  const auto before_seed = static_cast<std::size_t>(std::count_if(
      spec.prepare.begin(), spec.prepare.end(), [](const Step& step) { return !step.inputs.empty(); }));
  if (at.starts_with("setup")) {
    return at == "setup" ? setup : index_of(spec.environment.setup, at.substr(6));
  }
  if (at.starts_with("prepare.")) {
    const auto index = index_of(spec.prepare, at.substr(8));
    return setup + index + (index > before_seed ? 1 : 0);
  }
  if (at == "prepare") {
    return setup + spec.prepare.size() + 1;
  }
  if (at == "seed") {
    return setup + before_seed + 1;
  }
  return at == "ready" ? setup + spec.prepare.size() + 2 : 0;
}

} // namespace

void resolve_defaults(Spec& spec, Context& context) {
  for (auto& step : spec.environment.setup) {
    step.workdir = step.inputs.empty() ? "/" : spec.seed.to;
  }
  for (auto& step : spec.prepare) {
    step.user = step.user.empty() ? spec.environment.user : step.user;
    step.workdir = spec.environment.workdir;
    step.egress = spec.network_egress;
  }
  for (auto& [name, service] : spec.services) {
    for (auto& [other, dependency] : service.depends_on) {
      const auto found = spec.services.find(other);
      const bool written =
          context.positions.contains(fmt::format("services.{}.depends_on.{}.condition", name, other));
      if (!written && found != spec.services.end()) {
        dependency.condition = found->second.oneshot     ? Condition::completed
                               : found->second.readiness ? Condition::ready
                                                         : Condition::started;
      }
    }
  }
  if (spec.reset.to.empty()) {
    std::size_t deepest = 0;
    for (const auto& [name, snapshot] : spec.snapshots) {
      if (spec.reset.to.empty() || depth_of(spec, snapshot.at) > deepest) {
        spec.reset.to = name;
        deepest = depth_of(spec, snapshot.at);
      }
    }
    spec.reset.to = spec.reset.to.empty() ? "baseline" : spec.reset.to;
  }
}

void check_spec(Spec& spec, Context& context) {
  Checker(spec, context).run();
}

} // namespace pyro::spec
