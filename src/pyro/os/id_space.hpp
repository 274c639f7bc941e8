// Who the ids inside a sandbox are on this machine, and how to work on files with the ids of the inside.
// As root files in the store have their canonical owners and sandboxes see them through id-mapped mounts; as
// an ordinary user files belong to the user's subordinate ids (/etc/subuid) and are touched inside a user
// namespace.
#pragma once

#include "fd.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

struct IdRange {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;

  bool operator==(const IdRange&) const = default;
};

/// As root sandboxes have ranges of k_id_count from here on: above every range that login.defs,
/// systemd-nspawn and container engines hand out.
inline constexpr std::uint32_t k_shifted_base = 0x70000000;
inline constexpr std::uint32_t k_id_count = 65536;

/// `count` ids from `first` on, or those before the first that a user namespace with this map (the text of
/// /proc/PID/uid_map) does not have; each as itself. In as many parts as the map has there, since the kernel
/// takes no range across two.
std::vector<IdRange> ids_in_map(std::string_view map, std::uint32_t first, std::uint32_t count);

/// The last id that exists inside: nobody's (65535 is -1 in 16 bits, and so handed out by no machine).
std::uint32_t last_id(const std::vector<IdRange>& ranges);

class IdSpace {
public:
  enum class Kind {
    shifted,     // root: 65536 ids from a range nobody uses
    subordinate, // a user with newuidmap and /etc/subuid; root of a container, whose own ids they are
    single,      // a user without: only id 0 exists inside
  };

  /// Finds out once per process and remembers. As root its range is the one that no sandbox has: files are
  /// given to it, and programs that serve sandboxes run in it. For a sandbox's own: sandbox_ids.hpp. Root of
  /// a container that lacks these ids, or the right to mount by them, has those of the container
  /// (docs/decisions/0080).
  static const IdSpace& current();

  /// As root, another range of as many ids, starting at `outside`.
  static IdSpace shifted_to(std::uint32_t outside);

  Kind kind() const { return m_kind; }

  const std::vector<IdRange>& uids() const { return m_uids; }

  const std::vector<IdRange>& gids() const { return m_gids; }

  /// Why it is not better than it is ("" for shifted, and for subordinate but in a container).
  const std::string& shortcoming() const { return m_shortcoming; }

  /// Gives a process that is in a new user namespace (and waits) its id map. For subordinate ids of an
  /// ordinary user newuidmap(1) does it.
  void map_process(pid_t pid) const;

  /// Runs `work` where file owners are those of the inside: directly as root, else in a child process in a
  /// user namespace with this map. What it returns, or the Error it throws, comes back. The work must not
  /// depend on changing the memory of the caller.
  nlohmann::json run(const std::function<nlohmann::json()>& work) const;

  /// Are they the ids of the container that we are root of?
  bool own() const { return m_own; }

private:
  static IdSpace
  own_of_container(std::string_view uid_map, std::string_view gid_map, const std::string& reason);

  Kind m_kind = Kind::single;
  std::vector<IdRange> m_uids;
  std::vector<IdRange> m_gids;
  std::string m_shortcoming;
  bool m_own = false;
};

/// As root: a user namespace in which nothing runs, for id-mapped mounts (mount.hpp). An id of the disk that
/// is `inside` of a range shows as its `outside`; all others belong to nobody.
Fd namespace_with_maps(const std::vector<IdRange>& uids, const std::vector<IdRange>& gids);

} // namespace pyro::os
