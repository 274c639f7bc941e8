// A guest that was stopped and written down: its memory, the state of its devices and, where it had mounted
// one, its scratch disk. A directory that is never written again once it is sealed; what uses one maps or
// copies its files, so it can be removed at any time.
#pragma once

#include "qmp.hpp"

#include <pyro/base/sha256.hpp>

#include <sys/types.h>

#include <string>

namespace pyro::backend::qemu {

struct SavedGuest {
  std::string directory;

  std::string memory() const { return directory + "/memory"; }

  std::string state() const { return directory + "/state"; }

  std::string scratch() const { return directory + "/scratch"; }
};

/// Writes the state of a stopped guest's devices, without the memory, into the machine's state file.
void save_devices(Qmp& monitor);

/// A running clone of a saved guest, as its supervisor has it.
struct RunningClone {
  Qmp& monitor;
  pid_t qemu = 0;
  int base_memory = -1; // what its memory is a private mapping of
  std::string state;    // what save_devices() writes
  std::string scratch;
};

/// Writes a clone down while it stands still for a moment; it runs on whatever happens. Of the memory only
/// the pages that changed since it was cloned are read.
void save_clone(const RunningClone& clone, const SavedGuest& target);

/// Notes the files as they are now, and the key over everything that they depend on.
void seal(const SavedGuest& saved, const HexDigest& key);
/// Is it sealed, with this key, and as it was then?
bool is_intact(const SavedGuest& saved, const HexDigest& key);

} // namespace pyro::backend::qemu
