// What the kernel counts for the user who started a sandbox, where that is not an id of the sandbox's own: an
// ordinary user's sandboxes can take it all from the user's other programs (docs/decisions/0045).
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::supervisor {

enum class UserLimit { epoll_watches, inotify_instances, inotify_watches };

/// "epoll_watches"
std::string_view name_of(UserLimit limit);
/// "fs.epoll.max_user_watches", as sysctl(8) names it.
std::string_view setting_of(UserLimit limit);

/// How many a user may have; nullopt where the kernel does not say.
std::optional<std::uint64_t> most_of(UserLimit limit);

/// Up to how many one sandbox may go on having when the user has no more. Of epoll watches a sixteenth, tens
/// of thousands on the smallest machine, which no program needs that serves fewer connections; of the others
/// half, which is what one id inside may have in any case.
std::uint64_t share_of(UserLimit limit, std::uint64_t most);

struct UserLimitUse {
  std::uint64_t epoll_watches = 0;
  std::uint64_t inotify_instances = 0;
  std::uint64_t inotify_watches = 0;

  std::uint64_t of(UserLimit limit) const;
};

/// What the processes of a sandbox hold, which are those of its user namespace; the caller is in it, or may
/// do to it what its root may. Files that several of them have open count once. Descriptors on their way
/// through a socket count as much as one can be worth, since nobody can look into them.
UserLimitUse use_of_processes(int user_namespace);

/// Finds out whether the user has no more, by taking some and giving it back.
class UserLimitProbe {
public:
  /// Takes watches of its own that can be given back when there are none, so that the user's programs go on
  /// until the sandbox is dealt with.
  UserLimitProbe();

  std::optional<UserLimit> exhausted() const;
  void give_reserve();
  void take_reserve();

private:
  static constexpr int k_descriptors = 16;
  static constexpr int k_instances = 16;

  bool can_watch() const;

  std::vector<os::Fd> m_events; // of one eventfd; a watch is a pair of instance and descriptor
  std::vector<os::Fd> m_reserve;
};

} // namespace pyro::supervisor
