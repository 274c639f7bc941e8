#include "login.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/login_shell.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

constexpr int k_input_is_given = 0;

/// As sshd runs a command: by the shell that a person gets.
std::vector<std::string> by_shell(const std::string& script) {
  return {
      "/bin/sh", "-c",
      "if command -v bash >/dev/null 2>&1; then exec bash -c \"$1\"; else exec sh -c \"$1\"; fi", "sh",
      script};
}

std::string agent(std::string_view path) {
  return "/agent" + std::string(path);
}

Running reach(Context& context, const std::string& workspace) {
  context.base.prepare();
  return connect_running(context, locate(context, workspace, {}).id, "ssh");
}

} // namespace

Login::Login(Context& context, const std::string& workspace)
    : m_running(reach(context, workspace)), m_paths(context.base, m_running.record.id),
      m_secrets(*m_running.client, m_paths, m_running.record) {
}

std::shared_ptr<protocol::Call> Login::run(const LoginCommand& command, protocol::CallEvents events) {
  ExecRequest request;
  request.argv = command.script.empty() ? login_shell() : by_shell(command.script);
  request.env = command.env;
  request.user = command.user;
  if (command.terminal) {
    request.tty = true;
    request.columns = command.terminal->cols;
    request.rows = command.terminal->rows;
  }
  ExecStreams streams;
  streams.in = k_input_is_given;
  const auto guest = guest_request(m_paths, m_running.record, request, streams);
  return m_running.client->open(agent(protocol::path::k_exec), protocol::to_json(guest), std::move(events));
}

std::shared_ptr<protocol::Call> Login::serve_files(const std::string& user, protocol::CallEvents events) {
  const auto& record = m_running.record;
  const protocol::SftpRequest request{record.workdir, user.empty() ? record.user : user};
  return m_running.client->open(agent(protocol::path::k_sftp), protocol::to_json(request), std::move(events));
}

std::shared_ptr<protocol::Call>
Login::connect(const std::string& host, int port, protocol::CallEvents events) {
  return m_running.client->open(
      agent(protocol::path::k_tcp_connect), protocol::to_json(protocol::TcpConnect{host, port}),
      std::move(events));
}

} // namespace pyro::workspace
