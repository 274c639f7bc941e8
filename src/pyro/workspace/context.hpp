// What every part of the manager shares: settings, the store, the records, the backends and the event sink.
#pragma once

#include "environment.hpp"
#include "manager.hpp"

#include <pyro/backend/backend.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/recipes.hpp>
#include <pyro/store/records.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pyro::workspace {

struct Context {
  Context(Settings settings, EventSink events);

  Settings settings;
  EventSink sink;
  store::Base base;
  store::LayerStore layers;
  store::RecipeCache recipes;
  store::WorkspaceRecords records;
  Environments environments;

  void emit(const std::string& kind, const std::string& address, const std::string& text, Json data = nullptr)
      const;
  /// Throws Error(interrupted) when the front asks to stop. Call between steps, at a clean checkpoint.
  void check_interrupted() const;

  /// The backend for what a spec accepts: "auto" is the strongest that works here and is at least `least`.
  /// Never less: throws Error(unavailable) `guest boot is unavailable` and says what would make it work.
  const backend::Backend& choose_backend(const std::string& name, backend::Isolation least) const;
  const backend::Backend& backend_named(const std::string& name) const;
};

} // namespace pyro::workspace
