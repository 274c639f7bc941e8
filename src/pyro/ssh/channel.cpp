#include "channel.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

#include <algorithm>

namespace pyro::ssh {

namespace {

constexpr int k_least_side = 1;
constexpr int k_largest_side = 10'000; // as the agent takes them
constexpr std::size_t k_most_variables = 256;

protocol::TerminalSize size_of(int columns, int rows) {
  const auto side = [](int wanted, int usual) {
    return wanted == 0 ? usual : std::clamp(wanted, k_least_side, k_largest_side);
  };
  return {side(columns, 80), side(rows, 24)};
}

/// No exception goes through libssh.
template <typename Work>
int answer(const Tell& tell, Work work) {
  try {
    return work() ? 0 : 1;
  } catch (const std::exception& error) {
    tell(error.what());
    return 1;
  }
}

Channel* channel_of(void* data) {
  return static_cast<Channel*>(data);
}

} // namespace

Channel::Channel(workspace::Login& login, ssh_channel handle, std::string user, Tell tell)
    : m_login(login), m_handle(handle), m_tell(std::move(tell)) {
  m_command.user = std::move(user);
  m_ending.emplace();
  make_stream(&login.secrets());
  listen_for_requests();
}

Channel::Channel(workspace::Login& login, ssh_channel handle, const std::string& host, int port, Tell tell)
    : m_login(login), m_handle(handle), m_tell(std::move(tell)), m_port(fmt::format("{}:{}", host, port)) {
  make_stream(nullptr);
  auto events = m_stream->events();
  events.on_message = [this](const Json&) {
    m_is_connected = true;
  };
  m_stream->start(m_login.connect(host, port, std::move(events)));
}

Channel::~Channel() {
  if (m_ending) {
    ssh_remove_channel_callbacks(m_handle, &m_callbacks);
  }
  m_stream.reset();
  ssh_channel_free(m_handle);
}

void Channel::make_stream(const Redactor* secrets) {
  Stream::Handlers handlers;
  handlers.on_result = [this](const Json& result) {
    note_result(result);
  };
  handlers.on_failure = [this](const Error& error) {
    note_failure(error);
  };
  handlers.before_close = [this] {
    send_ending();
  };
  m_stream.emplace(m_handle, m_login.loop(), secrets, std::move(handlers));
}

void Channel::listen_for_requests() {
  m_callbacks.userdata = this;
  m_callbacks.channel_pty_request_function = [](ssh_session, ssh_channel, const char* kind, int columns,
                                                int rows, int, int, void* data) {
    return answer(channel_of(data)->m_tell, [&] {
      channel_of(data)->set_terminal(kind, columns, rows);
      return true;
    });
  };
  m_callbacks.channel_pty_window_change_function = [](ssh_session, ssh_channel, int columns, int rows, int,
                                                      int, void* data) {
    return answer(channel_of(data)->m_tell, [&] {
      channel_of(data)->resize(columns, rows);
      return true;
    });
  };
  m_callbacks.channel_env_request_function = [](ssh_session, ssh_channel, const char* name, const char* value,
                                                void* data) {
    return answer(channel_of(data)->m_tell, [&] {
      channel_of(data)->set_variable(name, value);
      return true;
    });
  };
  m_callbacks.channel_shell_request_function = [](ssh_session, ssh_channel, void* data) {
    return answer(channel_of(data)->m_tell, [&] { return channel_of(data)->run(""); });
  };
  m_callbacks.channel_exec_request_function = [](ssh_session, ssh_channel, const char* script, void* data) {
    return answer(channel_of(data)->m_tell, [&] { return channel_of(data)->run(script); });
  };
  m_callbacks.channel_subsystem_request_function = [](ssh_session, ssh_channel, const char* name,
                                                      void* data) {
    return answer(channel_of(data)->m_tell, [&] { return channel_of(data)->serve_files(name); });
  };
  m_callbacks.channel_signal_function = [](ssh_session, ssh_channel, const char* name, void* data) {
    std::ignore = answer(channel_of(data)->m_tell, [&] {
      channel_of(data)->pass_signal(name);
      return true;
    });
  };
  ssh_callbacks_init(&m_callbacks);
  if (ssh_add_channel_callbacks(m_handle, &m_callbacks) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh takes no callbacks for a channel");
  }
}

bool Channel::run(const std::string& script) {
  if (m_stream->call()) {
    return false; // one thing for each channel
  }
  m_command.script = script;
  m_stream->start(m_login.run(m_command, m_stream->events()));
  return true;
}

bool Channel::serve_files(const std::string& subsystem) {
  if (subsystem != "sftp" || m_stream->call()) {
    return false;
  }
  make_stream(nullptr); // bytes of files, which have to arrive as they are
  m_stream->start(m_login.serve_files(m_command.user, m_stream->events()));
  return true;
}

void Channel::set_variable(const std::string& name, const std::string& value) {
  if (m_command.env.size() < k_most_variables && !name.empty() && name.find('=') == std::string::npos) {
    m_command.env[name] = value;
  }
}

void Channel::set_terminal(const char* kind, int columns, int rows) {
  if (kind != nullptr && *kind != '\0') {
    m_command.env["TERM"] = kind;
  }
  m_command.terminal = size_of(columns, rows);
}

void Channel::resize(int columns, int rows) {
  const auto size = size_of(columns, rows);
  if (m_stream->call() && m_command.terminal) {
    m_stream->call()->send(Json{{"resize", {{"cols", size.cols}, {"rows", size.rows}}}});
  }
}

void Channel::pass_signal(const std::string& name) {
  if (m_stream->call() && os::signal_number(name)) {
    m_stream->call()->send(Json{{"signal", name}});
  }
}

void Channel::note_result(const Json& answered) {
  if (!m_ending) {
    return; // a connection
  }
  try {
    const auto result = protocol::exec_result_from_json(answered);
    m_ending->status = result.exit_code;
    if (result.signal != 0) {
      m_ending->signal = os::signal_name(result.signal).substr(std::string_view("SIG").size());
    }
    for (const auto& note : {result.stderr_note, result.oom_note}) {
      if (!note.empty()) {
        m_stream->say(fmt::format("pyro: {}\n", m_login.secrets().redact(note)));
      }
    }
  } catch (const Error& error) { // the agent says what it likes
    note_failure(error);
  }
}

void Channel::note_failure(const Error& error) {
  if (m_ending) {
    m_stream->say(fmt::format("pyro: {}\n", error.message()));
  } else if (!m_is_connected) {
    m_tell(fmt::format("no connection to {} inside: {}", m_port, error.message()));
  }
}

void Channel::send_ending() const {
  if (!m_ending) {
    return;
  }
  if (m_ending->signal.empty()) {
    ssh_channel_request_send_exit_status(m_handle, m_ending->status);
  } else {
    ssh_channel_request_send_exit_signal(m_handle, m_ending->signal.c_str(), 0, "", "");
  }
}

} // namespace pyro::ssh
