// Owners of what libssh makes.
#pragma once

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <memory>
#include <type_traits>

namespace pyro::ssh {

template <auto Free>
struct FreedBy {
  template <typename Handle>
  void operator()(Handle* handle) const {
    Free(handle);
  }
};

template <typename Handle, auto Free>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, FreedBy<Free>>;

using OwnedKey = Owned<ssh_key, ssh_key_free>;
using OwnedBind = Owned<ssh_bind, ssh_bind_free>;
using OwnedSession = Owned<ssh_session, ssh_free>;
using OwnedEvent = Owned<ssh_event, ssh_event_free>;

} // namespace pyro::ssh
