// One channel of a client: a command, a shell or a file transfer inside, as its requests say; or a connection
// to a port inside.
#pragma once

#include "stream.hpp"

#include <pyro/workspace/login.hpp>

#include <functional>
#include <libssh/callbacks.h>
#include <optional>
#include <string>

namespace pyro::ssh {

/// A line for the person at the client: ssh passes on what its ProxyCommand says.
using Tell = std::function<void(const std::string& line)>;

class Channel {
public:
  /// A session, which waits for its requests. The handle is the channel's own from here on. `user`: of the
  /// inside; empty: the workspace's.
  Channel(workspace::Login& login, ssh_channel handle, std::string user, Tell tell);
  /// A connection to a port inside.
  Channel(workspace::Login& login, ssh_channel handle, const std::string& host, int port, Tell tell);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool pump() { return m_stream->pump(); }

  bool is_over() const { return m_stream->is_over(); }

private:
  /// How a command ended, for the client.
  struct Ending {
    int status = 255;   // as ssh has it where the command cannot be asked
    std::string signal; // "TERM"; empty: none
  };

  void listen_for_requests();
  void make_stream(const Redactor* secrets);
  bool run(const std::string& script);
  bool serve_files(const std::string& subsystem);
  void set_variable(const std::string& name, const std::string& value);
  void set_terminal(const char* kind, int columns, int rows);
  void resize(int columns, int rows);
  void pass_signal(const std::string& name);
  void note_result(const Json& result);
  void note_failure(const Error& error);
  void send_ending() const;

  workspace::Login& m_login;
  ssh_channel m_handle;
  Tell m_tell;
  workspace::LoginCommand m_command;
  std::string m_port; // "127.0.0.1:80"; empty: a session
  bool m_is_connected = false;
  std::optional<Ending> m_ending; // of a session
  std::optional<Stream> m_stream;
  ssh_channel_callbacks_struct m_callbacks{};
};

} // namespace pyro::ssh
