// Somebody who has logged in to a running workspace: any number of commands, file transfers and connections
// beside each other, on one loop that is theirs to turn. For fronts with a protocol of their own (ssh/); see
// execution.hpp for one command alone. Nothing of it is in the command log.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pyro::workspace {

struct Context;

struct LoginCommand {
  std::string script; // for bash, or sh where there is none; empty: a login shell
  std::map<std::string, std::string> env;
  std::string user; // empty: the workspace's
  std::optional<protocol::TerminalSize> terminal;
};

class Login {
public:
  /// `workspace` is an id, a unique id prefix or a name. Error(bad_state) where it is not started.
  Login(Context& context, const std::string& workspace);

  os::EventLoop& loop() { return m_running.client->loop(); }

  /// Why nothing more can be done here: the sandbox has ended. nullopt: it has not.
  std::optional<Error> ended() const { return m_running.client->lost(); }

  /// What output has to be taken out of before it is shown. The same object for as long as this lives.
  const Redactor& secrets() const { return m_secrets.now(); }

  /// Calls of the agent: as /exec, /sftp and /tcp/connect (protocol/requests.hpp) answer.
  std::shared_ptr<protocol::Call> run(const LoginCommand& command, protocol::CallEvents events);
  std::shared_ptr<protocol::Call> serve_files(const std::string& user, protocol::CallEvents events);
  std::shared_ptr<protocol::Call> connect(const std::string& host, int port, protocol::CallEvents events);

private:
  Running m_running;
  store::WorkspacePaths m_paths;
  LiveRedactor m_secrets;
};

} // namespace pyro::workspace
