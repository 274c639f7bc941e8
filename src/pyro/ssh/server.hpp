// An ssh server for the one client at the other end of two descriptors, as `ssh` starts a ProxyCommand: it
// listens nowhere. Whoever can talk to it has been started by the user, or is the user; so nobody has to
// prove who he is (docs/decisions/0081).
#pragma once

#include "channel.hpp"
#include "keys.hpp"

#include <pyro/os/fd.hpp>

#include <memory>
#include <vector>

namespace pyro::ssh {

/// The name by which a client says that it wants the workspace's own user.
inline constexpr const char* k_own_user = "pyro";

class Server {
public:
  /// The first two outlive it. `keys` as prepare_keys() gives them.
  Server(workspace::Login& login, const Keys& keys, Tell tell);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves until the client goes. Error(bad_state) at the end of the sandbox.
  void run(os::Fd input, os::Fd output);

private:
  void accept(os::Fd socket);
  void listen();
  ssh_channel open_session();
  /// Whatever no callback is for. True: it has been answered.
  bool take_message(ssh_message message);
  bool open_connection(ssh_message message);
  bool has_room() const;
  /// False: the client is gone.
  bool turn();
  void watch();

  workspace::Login& m_login;
  const Keys& m_keys;
  Tell m_tell;
  OwnedBind m_bind;
  OwnedSession m_session;
  OwnedEvent m_event;
  ssh_server_callbacks_struct m_callbacks{};
  std::string m_user;
  std::vector<std::unique_ptr<Channel>> m_channels;
  os::Fd m_watched;           // a duplicate of libssh's socket
  std::uint32_t m_wanted = 0; // of what happens there
};

} // namespace pyro::ssh
