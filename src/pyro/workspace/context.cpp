#include "context.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>

namespace pyro::workspace {

Context::Context(Settings given, EventSink events)
    : settings(std::move(given)), sink(std::move(events)),
      base(settings.base.empty() ? store::Base::from_environment() : store::Base(settings.base)),
      layers(base), recipes(base), records(base),
      environments(
          base, layers,
          [this](std::string_view kind, const std::string& text) {
            emit(kind == "log" ? "log" : "action_progress", "environment", text);
          },
          settings.cache) {
}

void Context::emit(
    const std::string& kind, const std::string& address, const std::string& text, Json data) const {
  if (sink) {
    sink({kind, address, text, std::move(data)});
  }
}

void Context::check_interrupted() const {
  if (settings.interrupted && settings.interrupted()) {
    spend_interruption(); // what cleans up now is not stopped as well
    throw Error(ErrorCode::interrupted, "interrupted").with_hint("run the same command again to go on");
  }
}

const backend::Backend& Context::backend_named(const std::string& name) const {
  for (const auto& backend : settings.backends) {
    if (backend->name() == name) {
      return *backend;
    }
  }
  throw Error(ErrorCode::invalid_argument, "invalid backend '{}'", name)
      .with_hint("backends of this build: namespaces");
}

const backend::Backend& Context::choose_backend(const std::string& name, backend::Isolation least) const {
  if (name != "auto") {
    const auto& backend = backend_named(name);
    if (backend.isolation() < least) {
      throw Error(
          ErrorCode::unavailable,
          "guest boot is unavailable: backend '{}' isolates less than the spec accepts", name)
          .with_hint("raise `backend` or lower `isolation` in pyro.yaml");
    }
    return backend;
  }
  const backend::Backend* best = nullptr;
  for (const auto& backend : settings.backends) {
    if (backend->isolation() >= least && (!best || backend->isolation() > best->isolation())) {
      best = backend.get();
    }
  }
  if (!best) {
    throw Error(
        ErrorCode::unavailable, "guest boot is unavailable: this build has no backend that isolates enough")
        .with_hint("`isolation: sandbox` runs in namespaces; `pyro doctor` tells what this machine can do");
  }
  return *best;
}

} // namespace pyro::workspace
