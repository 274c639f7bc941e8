#include "context.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/store/gc.hpp>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_host_compat_hint =
    "allow_host_compat (--allow-host-compat) agrees to run as an ordinary process of this machine";

environment::EnvironmentProgress progress_of(const Context& context) {
  return [&context](std::string_view kind, const std::string& text) {
    context.emit(kind == "log" ? "log" : "action_progress", "environment", text);
  };
}

bool works(const backend::Backend& backend) {
  const auto checks = backend.probe();
  return std::none_of(checks.begin(), checks.end(), [](const auto& check) { return check.level == "error"; });
}

/// More isolation than was asked for is taken where it costs little: a virtual machine with KVM, not an
/// emulated one.
bool taken_unasked(const backend::Backend& backend) {
  const auto capabilities = backend.capabilities();
  return !capabilities.virtual_machine || (!capabilities.emulated && works(backend));
}

/// Found out once, for all that want it.
Settings with_cache(Settings settings) {
  if (settings.cache.empty()) {
    settings.cache = store::environment_cache_directory();
  }
  return settings;
}

} // namespace

Context::Context(Settings given, EventSink events)
    : settings(with_cache(std::move(given))), sink(std::move(events)),
      base(settings.base.empty() ? store::Base::from_environment() : store::Base(settings.base)),
      layers(base), recipes(layers), records(base), journal(base.events()),
      environments(base, layers, progress_of(*this), settings.cache),
      guest_kernels(settings.agent_path, progress_of(*this), settings.cache),
      layer_images(layers, progress_of(*this)), host_images(base, progress_of(*this), settings.cache) {
}

void Context::emit(
    const std::string& kind, const std::string& address, const std::string& text, Json data) const {
  if (kind.starts_with("action_") && kind != "action_progress") {
    note(kind, address, text, data);
  }
  if (sink) {
    sink({kind, address, text, std::move(data)});
  }
}

void Context::note(
    const std::string& kind, const std::string& address, const std::string& text, const Json& data) const {
  if (current.id.empty()) {
    return;
  }
  Json event{
      {"op_id", current.id},
      {"operation", current.operation},
      {"kind", kind},
      {"address", address},
      {"text", text}};
  if (!current.workspace_id.empty()) {
    event["workspace_id"] = current.workspace_id;
    event["workspace"] = current.workspace;
  }
  for (const auto* key : {"duration_ms", "action", "code"}) { // no messages with what commands wrote
    if (data.is_object() && data.contains(key)) {
      event[key] = data.at(key);
    }
  }
  journal.add(std::move(event));
}

os::WaitingCallback Context::tell_waiting(const std::string& address) const {
  return [this, address](const std::optional<os::LockHolder>& holder) {
    emit("waiting", address, fmt::format("waiting for {}", holder ? to_string(*holder) : "another process"));
  };
}

StoreUse Context::use_store(const std::string& operation) const {
  return {
      store::lock_store_shared(base, settings.lock_timeout, operation, tell_waiting("store")),
      store::LayerStore::Remembering(layers)};
}

void Context::check_interrupted() const {
  check_interruption();
  if (settings.interrupted && settings.interrupted()) {
    throw interruption_error();
  }
}

const backend::Backend& Context::backend_named(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& backend : settings.backends) {
    if (backend->name() == name) {
      return *backend;
    }
    names.push_back(backend->name());
  }
  throw Error(ErrorCode::invalid_argument, "invalid backend '{}'", name)
      .with_hint(fmt::format("backends of this build: auto, {}", fmt::join(names, ", ")));
}

const backend::Backend&
Context::choose_backend(const std::string& name, backend::Isolation least, HostCompat host_compat) const {
  using backend::Isolation;
  const bool host_allowed = host_compat == HostCompat::allowed;
  if (name != "auto") {
    const auto& backend = backend_named(name);
    if (backend.isolation() == Isolation::host && !host_allowed) {
      throw Error(
          ErrorCode::unavailable, "guest boot is unavailable: backend '{}' runs without isolation", name)
          .with_hint(std::string(k_host_compat_hint));
    }
    if (backend.isolation() < least && backend.isolation() != Isolation::host) {
      throw Error(
          ErrorCode::unavailable,
          "guest boot is unavailable: backend '{}' isolates less than the spec accepts", name)
          .with_hint("raise `backend` or lower `isolation` in pyro.yaml");
    }
    return backend;
  }
  const backend::Backend* best = nullptr;
  const backend::Backend* only_emulated = nullptr;
  const backend::Backend* host = nullptr;
  for (const auto& backend : settings.backends) {
    if (backend->isolation() == Isolation::host) {
      host = backend.get();
    } else if (backend->isolation() >= least) {
      auto*& candidate = backend->isolation() == least || taken_unasked(*backend) ? best : only_emulated;
      if (!candidate || backend->isolation() > candidate->isolation()) {
        candidate = backend.get();
      }
    }
  }
  best = best ? best : only_emulated;
  if (host && host_allowed && (!best || !works(*best))) {
    return *host;
  }
  if (!best) {
    throw Error(
        ErrorCode::unavailable, "guest boot is unavailable: this build has no backend that isolates enough")
        .with_hint(fmt::format(
            "`isolation: sandbox` runs in namespaces; `pyro doctor` tells what this machine can do{}",
            host ? fmt::format("; {}", k_host_compat_hint) : ""));
  }
  return *best;
}

} // namespace pyro::workspace
