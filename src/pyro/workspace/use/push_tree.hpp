// What a sync push brings: a directory or an archive of this machine, as records of one change.
#pragma once

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/guest_change.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

struct PushSource {
  std::string path; // absolute
  bool is_archive = false;
};

/// Error(input_missing) where it is not there, Error(invalid_argument) where it is neither a directory nor
/// named like an archive.
PushSource push_source_of(const std::string& path);

struct Pushed {
  std::uint64_t entries = 0;
  std::uint64_t left_out = 0; // sockets, FIFOs, devices of a directory
};

/// Sends all of it to below `destination` (relative to /workspace; "" is it). An archive is unpacked into the
/// store's staging area first, under the policy for archives that nobody vouches for.
Pushed push_tree(
    const Context& context, const PushSource& source, const std::string& destination, GuestChange& change);

/// A regular file of this machine, which becomes `destination`; its size.
std::uint64_t push_file(const std::string& path, const std::string& destination, GuestChange& change);

} // namespace pyro::workspace
