// The mirror of a writable layer that lies where this machine cannot see it (on the disk of a virtual
// machine): <generation>/<part>/upper, brought up to date from the agent whenever somebody wants to read it.
// It looks as the upper directory of a sandbox of this machine would, so that nothing else needs to know.
// Who wants to read calls refresh_upper() (workspace/sandbox/refresh_upper.hpp).
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pyro::mirror {

/// What a guest, which may say anything, can make this machine take.
struct MirrorOptions {
  std::string agent = "/agent";           // what the agent's operations begin with
  std::vector<std::string> parts{"root"}; // folders of the generation that there may be
  protocol::UpperLimits limits;
  std::size_t list_bytes = std::size_t{512} << 20;
  std::uint64_t file_bytes = std::uint64_t{1} << 44;
  std::uint64_t fetched_bytes = std::uint64_t{1} << 40; // of contents, at one refresh
  std::uint64_t held_bytes = std::uint64_t{1} << 40;    // of what refreshes before it have left here
  std::chrono::milliseconds patience{120'000};          // without a byte from the agent
};

struct MirrorReport {
  std::uint64_t unchanged = 0;
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
  std::uint64_t fetched = 0; // files
  std::uint64_t fetched_bytes = 0;
  std::uint64_t moved = 0;   // files that the mirror had under another name
  std::uint64_t skipped = 0; // sockets and devices, which no copy keeps
  std::uint64_t lost = 0;    // owners and attributes that this machine does not let us set
  std::uint64_t in_doubt =
      0; // changed while they were read, or too recently to tell: fetched again next time

  bool operator==(const MirrorReport&) const = default;
};

Json to_json(const MirrorReport& report);
MirrorReport mirror_report_from_json(const Json& value);

/// <generation>/.mirror: what is known of the mirror, beside the parts.
std::string mirror_directory(const std::string& generation);

/// Makes the mirror hold what the agent's writable layer holds now, at a cost that follows what has changed
/// since the last time. May be killed anywhere: the next one repairs it. In the ids of the inside
/// (os::IdSpace::run); one at a time, others wait.
MirrorReport refresh_mirror(
    backend::ControlClient& client, const std::string& generation, const MirrorOptions& options = {});

} // namespace pyro::mirror
