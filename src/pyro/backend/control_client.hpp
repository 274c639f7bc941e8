// A client of a supervisor's control socket: calls that block, and the loop for calls that stream.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/call.hpp>

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend {

class ControlClient {
public:
  /// nullptr when no supervisor listens there.
  static std::unique_ptr<ControlClient> connect(const std::string& socket_path);

  /// Sends the request and waits for its answer. Paths of the agent start with "/agent". Throws the answer's
  /// Error, or Error(timeout) when `limit` is not 0 and over. `on_message` gets json frames before the
  /// answer.
  Json call(
      const std::string& path, const Json& request, std::chrono::milliseconds limit = std::chrono::minutes(1),
      std::function<void(const Json&)> on_message = {});

  struct Answer {
    std::optional<Json> result;
    std::optional<Error> failure; // there is one or the other
  };

  /// Asks all of them at once, with an empty request, and waits until each has answered or `limit` is over.
  std::vector<Answer> call_all(const std::vector<std::string>& paths, std::chrono::milliseconds limit);

  /// Opens a streaming call; drive it with loop().turn(). A sandbox that ends before the answer (stopped,
  /// reset, dead) is Error(bad_state), here and in call(), that says what became of it.
  std::shared_ptr<protocol::Call>
  open(const std::string& path, const Json& request, protocol::CallEvents events);

  /// What a call that is cut off by the end of the sandbox says of it: "the workspace was reset"; empty: not
  /// known. Asked when that happens.
  void on_cut_off(std::function<std::string()> explain) { m_explain = std::move(explain); }

  /// What became of the sandbox, once the connection is gone.
  std::optional<Error> lost() const { return m_lost ? std::optional(sandbox_ended()) : std::nullopt; }

  os::EventLoop& loop() { return m_loop; }

  /// The supervisor's process.
  pid_t peer() const { return m_peer; }

private:
  explicit ControlClient(os::Fd socket);

  Error sandbox_ended() const;

  os::EventLoop m_loop;
  protocol::Session m_session{protocol::Role::client};
  std::unique_ptr<os::BytePump> m_pump;
  pid_t m_peer = 0;
  bool m_lost = false;
  std::function<std::string()> m_explain;
};

} // namespace pyro::backend
