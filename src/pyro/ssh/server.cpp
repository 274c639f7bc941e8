#include "server.hpp"

#include "relay.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace pyro::ssh {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_most_channels = 128;
constexpr int k_rounds = 64; // of reading from the client before others have their turn
constexpr milliseconds k_longest_wait{60'000};
constexpr milliseconds k_farewell{5'000}; // for the last bytes, to a client that may read them no more
constexpr milliseconds k_moment{100};

} // namespace

Server::Server(workspace::Login& login, const Keys& keys, Tell tell)
    : m_login(login), m_keys(keys), m_tell(std::move(tell)), m_bind(ssh_bind_new()), m_session(ssh_new()),
      m_event(ssh_event_new()) {
  if (!m_bind || !m_session || !m_event) {
    throw Error(ErrorCode::internal, "libssh has no memory");
  }
}

/// Channels first: they are the session's.
Server::~Server() {
  m_channels.clear();
  if (m_watched) {
    m_login.loop().unwatch(m_watched.get());
  }
}

void Server::accept(os::Fd socket) {
  const bool reads_config = false; // /etc/ssh/libssh_server_config is for servers of the machine
  ssh_bind_options_set(m_bind.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &reads_config);
  // The bind owns the key that it is given, and the session the descriptor.
  if (ssh_bind_options_set(m_bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY, ssh_key_dup(m_keys.host.get()))
          != SSH_OK
      || ssh_bind_accept_fd(m_bind.get(), m_session.get(), socket.get()) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh: {}", ssh_get_error(m_bind.get()));
  }
  m_watched = os::duplicate(socket.release());
  ssh_set_blocking(m_session.get(), 0);
  listen();
  if (ssh_handle_key_exchange(m_session.get()) == SSH_ERROR
      || ssh_event_add_session(m_event.get(), m_session.get()) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh: {}", ssh_get_error(m_session.get()));
  }
  m_login.loop().watch(m_watched.get(), EPOLLIN, [](std::uint32_t) {}); // turn() looks for itself
  m_wanted = EPOLLIN;
}

void Server::listen() {
  m_callbacks.userdata = this;
  m_callbacks.auth_none_function = [](ssh_session, const char* user, void* data) {
    static_cast<Server*>(data)->m_user = user;
    return static_cast<int>(SSH_AUTH_SUCCESS);
  };
  m_callbacks.auth_pubkey_function = [](ssh_session, const char* user, ssh_key key, char state, void* data) {
    auto* self = static_cast<Server*>(data);
    const bool is_ours = ssh_key_cmp(key, self->m_keys.client.get(), SSH_KEY_CMP_PUBLIC) == 0;
    self->m_user = user;
    return static_cast<int>(
        is_ours && (state == SSH_PUBLICKEY_STATE_NONE || state == SSH_PUBLICKEY_STATE_VALID)
            ? SSH_AUTH_SUCCESS
            : SSH_AUTH_DENIED);
  };
  m_callbacks.channel_open_request_session_function = [](ssh_session, void* data) {
    return static_cast<Server*>(data)->open_session();
  };
  ssh_callbacks_init(&m_callbacks);
  ssh_set_server_callbacks(m_session.get(), &m_callbacks);
  ssh_set_message_callback(
      m_session.get(),
      [](ssh_session, ssh_message message, void* data) {
        return static_cast<Server*>(data)->take_message(message) ? 0 : 1;
      },
      this);
  ssh_set_auth_methods(m_session.get(), SSH_AUTH_METHOD_NONE | SSH_AUTH_METHOD_PUBLICKEY);
}

bool Server::has_room() const {
  if (m_channels.size() >= k_most_channels) {
    m_tell(fmt::format("there are {} channels already", k_most_channels));
  }
  return m_channels.size() < k_most_channels;
}

ssh_channel Server::open_session() {
  auto* handle = has_room() ? ssh_channel_new(m_session.get()) : nullptr;
  if (handle == nullptr) {
    return nullptr;
  }
  try {
    m_channels.push_back(
        std::make_unique<Channel>(m_login, handle, m_user == k_own_user ? "" : m_user, m_tell));
    return handle;
  } catch (const std::exception& error) {
    m_tell(error.what());
    ssh_channel_free(handle);
    return nullptr;
  }
}

bool Server::open_connection(ssh_message message) {
  const std::string host = ssh_message_channel_request_open_destination(message);
  const auto port = ssh_message_channel_request_open_destination_port(message);
  auto* handle = has_room() ? ssh_message_channel_request_open_reply_accept(message) : nullptr;
  if (handle == nullptr) {
    return false;
  }
  try {
    m_channels.push_back(std::make_unique<Channel>(m_login, handle, host, port, m_tell));
  } catch (const std::exception& error) {
    m_tell(fmt::format("no connection to port {} inside: {}", port, error.what()));
    ssh_channel_close(handle);
    ssh_channel_free(handle);
  }
  return true;
}

bool Server::take_message(ssh_message message) {
  const auto type = ssh_message_type(message);
  const auto subtype = ssh_message_subtype(message);
  if (type == SSH_REQUEST_CHANNEL_OPEN && subtype == SSH_CHANNEL_DIRECT_TCPIP) {
    return open_connection(message);
  }
  if (type == SSH_REQUEST_GLOBAL && subtype == SSH_GLOBAL_REQUEST_TCPIP_FORWARD) {
    m_tell("nothing inside may listen on this machine: -R (RemoteForward) is refused");
  } else if (type == SSH_REQUEST_CHANNEL && subtype == SSH_CHANNEL_REQUEST_X11) {
    m_tell("X11 is not forwarded: nothing inside may reach this machine's display");
  } else if (type == SSH_REQUEST_CHANNEL_OPEN) {
    m_tell("only sessions and connections to TCP ports inside can be opened");
  }
  return false;
}

void Server::watch() {
  const auto wanted =
      EPOLLIN | ((ssh_get_poll_flags(m_session.get()) & SSH_WRITE_PENDING) != 0 ? EPOLLOUT : 0U);
  if (wanted != m_wanted) {
    m_login.loop().modify(m_watched.get(), wanted);
    m_wanted = wanted;
  }
}

bool Server::turn() {
  for (int round = 0; round < k_rounds; ++round) {
    const auto done = ssh_event_dopoll(m_event.get(), 0);
    if (done == SSH_ERROR || ssh_is_connected(m_session.get()) == 0) {
      return false;
    }
    if (done == SSH_AGAIN) {
      break;
    }
  }
  // A channel that is read from may bring what another has waited for.
  bool has_done = true;
  while (has_done) {
    has_done = false;
    for (std::size_t index = 0; index < m_channels.size(); ++index) { // more may be opened meanwhile
      has_done = m_channels[index]->pump() || has_done;
    }
    std::erase_if(m_channels, [](const auto& channel) { return channel->is_over(); });
  }
  watch();
  return true;
}

void Server::run(os::Fd input, os::Fd output) {
  auto& loop = m_login.loop();
  auto [outside, inside] = os::socket_pair();
  const Relay from_client(loop, std::move(input), os::duplicate(outside.get()));
  const Relay to_client(loop, std::move(outside), std::move(output));
  accept(std::move(inside));
  std::optional<Error> ended;
  while (!ended && turn()) {
    loop.turn(k_longest_wait);
    ended = m_login.ended();
  }
  if (!ended) {
    return;
  }
  const auto until = os::now_monotonic() + k_farewell;
  const auto is_time_left = [&] {
    return os::now_monotonic() < until;
  };
  while (turn() && !m_channels.empty() && is_time_left()) { // each tells its client why it ends
    loop.turn(k_moment);
  }
  ssh_session_set_disconnect_message(m_session.get(), ended->message().c_str());
  ssh_disconnect(m_session.get());
  loop.unwatch(m_watched.get());
  m_watched.reset();
  while (!to_client.is_over() && is_time_left()) {
    loop.turn(k_moment);
  }
  throw *ended;
}

} // namespace pyro::ssh
