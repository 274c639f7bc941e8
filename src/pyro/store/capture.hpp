// Turns what a sandbox wrote (the upper directories of one writable generation) into one tree for the layer
// store.
#pragma once

#include "layered_view.hpp"
#include "layers.hpp"

#include <pyro/os/tree_copy.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

/// The upper directory of one overlay of the sandbox.
struct UpperPart {
  std::string upper; // on disk: "<ws>/gen/3/usr/upper"
  std::string at;    // in the sandbox, relative: "" for the root overlay, "usr"
};

/// The parts of a writable generation, the root's first. Host directories lie in a folder named as `at`,
/// slashes as "_".
std::vector<UpperPart>
parts_of_generation(const std::string& generation, const std::vector<HostDirectory>& host_directories);
/// The name of a part's folder: "root" for "", "usr" for "usr", "host_root" for "root", "var_lib" for
/// "var/lib".
std::string part_folder(const std::string& at);

/// The stack with the generation's uppers on top.
Stack with_uppers(Stack stack, const std::vector<UpperPart>& parts);

class WrittenBack;

enum class CaptureMode {
  move, // the sandbox is gone: the uppers themselves become the layer
  copy, // the sandbox goes on; its processes are frozen by the caller
};

struct CaptureOptions {
  CaptureMode mode = CaptureMode::copy;
  /// Paths in the sandbox that never belong to a layer, with all below them: dev, proc, sys, run, mount
  /// points.
  std::vector<std::string> drop;
  /// Where given, entries that are no different from what is below are left out (only with `move`).
  std::optional<Stack> below;
  /// File that remembers what a copied file looked like, so that the next capture of the same generation
  /// links instead of copying. Empty: no such memory. `previous_tree` is the published tree of that capture.
  std::string memory;
  /// What write_back_changes() did; may be missing.
  std::shared_ptr<const WrittenBack> written_back;
};

struct CaptureReport {
  std::uint64_t entries = 0;
  std::uint64_t linked = 0;
  std::uint64_t copied = 0;
  std::uint64_t dropped = 0; // sockets, devices, unwanted paths, unchanged entries
};

/// Fills `staging.tree()`. With `move` the uppers are gone afterwards; should it fail midway the generation
/// is no longer usable, the staging holds what was moved.
CaptureReport capture_generation(
    const std::vector<UpperPart>& parts, const Staging& staging, const CaptureOptions& options);

/// Before everything is made to stand still for a capture with a memory: writes back what was changed since
/// the last one, so that the capture need not wait for the disk. What runs may change and remove files
/// meanwhile.
std::shared_ptr<const WrittenBack>
write_back_changes(const std::vector<UpperPart>& parts, const CaptureOptions& options);

/// After publish(): remembers under which layer tree the copies made by the last capture lie now.
void remember_capture(const std::string& memory, const std::string& published_tree);

} // namespace pyro::store
