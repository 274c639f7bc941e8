// What host and guest say to each other before the agent's session begins: one JSON document a line, the
// guest never speaks unasked but for its first word. A guest that waits for the next line can be stopped,
// saved and cloned at that point: neither side holds half of anything.
//
//   guest: {"guest": "pyro", "version": 2}
//   host:  {"do": "mount", ...Mount}        guest: {"ok": true}     the root is there, nothing else runs
//   host:  {"do": "enter", ...Enter}        guest: {"ok": true}     from here on HTTP/2
//
// A running guest comes back to that point: the host asks "/suspend" of the agent, which stops every process,
// writes back, answers, and then says nothing more until it gets a line again. What either side still had to
// say in the old session is skipped: both begin with an empty line, and lines that are no JSON mean nothing.
//
//   host:  {"do": "stand"}                  guest: {"ok": true}     nothing of the old session is on its way
//   host:  {"do": "resume", "epoch_ms": N}  guest: {"ok": true}     the same machine goes on, after a pause
//   host:  {"do": "enter", ...Enter}        guest: {"ok": true}     or a clone does: another machine by now
//
// A refusal is {"error": <Error as JSON>}.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::protocol {

inline constexpr std::string_view k_guest_port_name = "pyro.agent";
inline constexpr int k_guest_boot_version = 2;
/// What a guest has in QEMU's user network, which is the same for each.
inline constexpr const char* k_user_network_address = "10.0.2.15";
inline constexpr std::size_t k_max_guest_layers = 200;

/// A directory of the host's, as an image of its own: an overlay at /name.
struct GuestPart {
  std::string name;
  std::uint64_t sectors = 0;
};

/// The layers lie one after the other on the first disk, in sectors of 512 bytes; the second is the scratch
/// disk.
struct GuestMount {
  std::vector<std::uint64_t> layers; // sizes, bottom to top
  std::vector<GuestPart> parts;      // follow the layers
};

/// What makes this guest unlike every other that was cloned from the same one.
struct GuestEnter {
  std::string hostname;
  std::string machine_id; // empty: as the environment has it
  std::int64_t epoch_ms = 0;
  std::string entropy; // hex, at least 32 bytes
  bool network = false;
  std::string resolv_conf;
  // What the network card gets; empty: as QEMU's user network has it.
  std::string address; // "172.29.0.2"
  std::string netmask; // "255.255.255.252"
  std::string gateway;
};

Json to_json(const GuestMount& mount);
Json to_json(const GuestEnter& enter);
/// Throw Error(protocol) naming the key.
GuestMount guest_mount_from_json(const Json& value);
GuestEnter guest_enter_from_json(const Json& value);

} // namespace pyro::protocol
