// What everything that works on workspaces shares: settings, the store, the records, the backends and the
// event sink. All state lies in files below Settings::base, so that any process can go on where another
// stopped; nothing is printed, progress goes to the event sink, and whatever fails throws Error.
#pragma once

#include "settings.hpp"

#include <pyro/backend/backend.hpp>
#include <pyro/environment/environment.hpp>
#include <pyro/events/journal.hpp>
#include <pyro/guest_images/host_images.hpp>
#include <pyro/guest_images/kernel.hpp>
#include <pyro/guest_images/layer_images.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/recipes.hpp>
#include <pyro/store/records.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pyro::workspace {

/// Did the caller agree to run without isolation (allow_host_compat)?
enum class HostCompat { refused, allowed };

/// What is being done with this context, for the journal.
struct CurrentOperation {
  std::string id; // empty: nothing that is noted
  std::string operation;
  std::string workspace_id; // where it is known
  std::string workspace;    // its name

  void note_workspace(const std::string& id_of_it, const std::string& name) {
    workspace_id = id_of_it;
    workspace = name;
  }
};

/// The store's lock, and what was found in it meanwhile.
struct StoreUse {
  os::SharedLock lock;
  store::LayerStore::Remembering found;
};

struct Context {
  Context(Settings settings, EventSink events);

  Settings settings;
  EventSink sink;
  store::Base base;
  store::LayerStore layers;
  store::RecipeCache recipes;
  store::WorkspaceRecords records;
  events::Journal journal;
  CurrentOperation current = {};
  environment::Environments environments;
  guest_images::GuestKernels guest_kernels;
  guest_images::LayerImages layer_images;
  guest_images::HostImages host_images;

  void emit(const std::string& kind, const std::string& address, const std::string& text, Json data = nullptr)
      const;
  /// Into the journal, of the current operation; nothing where there is none.
  void note(
      const std::string& kind, const std::string& address, const std::string& text,
      const Json& data = nullptr) const;
  /// For a lock: an event that tells for whom `address` waits.
  os::WaitingCallback tell_waiting(const std::string& address) const;
  /// store::lock_store_shared() with our patience, telling for whom it waits.
  StoreUse use_store(const std::string& operation) const;
  /// Throws Error(interrupted) when the front asks to stop. Call between steps, at a clean checkpoint.
  void check_interrupted() const;

  /// The backend for what a spec accepts: "auto" is the strongest of this build that is at least `least`.
  /// Never less: throws Error(unavailable) `guest boot is unavailable` and says what would make it work. Only
  /// with the explicit opt-in HostCompat::allowed may it be no isolation at all: where "host" is named, or
  /// where "auto" finds nothing else that works on this machine.
  const backend::Backend&
  choose_backend(const std::string& name, backend::Isolation least, HostCompat host_compat) const;
  /// Throws Error(invalid_argument) `invalid backend`.
  const backend::Backend& backend_named(const std::string& name) const;
};

} // namespace pyro::workspace
