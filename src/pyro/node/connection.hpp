// A front's way to a lease: one srun(1) whose streams carry one session to the lease's process. What comes
// from there is input that may be anything. That srun ends says nothing (it exits with 0 where the node has
// gone): a call is over with its result, and with nothing else.
#pragma once

#include "call.hpp"

#include <pyro/operations/engine.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/process.hpp>
#include <pyro/protocol/session.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pyro::node {

/// What a call may want of its front while it runs; each may be empty.
struct Hooks {
  operations::EventSink events;
  std::function<bool(const std::string& text)> ask;
  std::function<bool()> interrupted;                 // true: the call is told to stop
  std::function<std::optional<Json>()> poll_control; // of ExecRequest
  operations::LineSink line;
  std::function<void(bool is_begun)> unanswered; // of watch_silence()
};

class Connection {
public:
  /// `program` is pyro-node as the node has it. Nothing is waited for.
  Connection(const std::string& job_id, const std::string& program);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Blocks until the result. Throws the call's Error; ConnectionLost where there is no way (any more);
  /// OutputClosed where nobody reads our output.
  Json call(const Call& call, const operations::ExecStreams& streams, const Hooks& hooks);

  /// For streams beside calls (workspace_streams.hpp); whoever turns the loop asks check() afterwards.
  os::EventLoop& loop() { return m_loop; }

  protocol::Session& session() { return m_session; }

  /// Throws what is wrong with the other end, ConnectionLost where there is no way.
  void check() const;
  /// To be called again and again: srun does not end where the link to the node is cut. Calls back every few
  /// seconds while the node does not answer; `is_begun`: it did before. What that throws leaves it.
  void watch_silence(const std::function<void(bool is_begun)>& unanswered);

private:
  struct Running;

  void receive(std::string_view bytes);
  std::string last_words() const;

  os::EventLoop m_loop;
  protocol::Session m_session{protocol::Role::client};
  os::Fd m_words; // what srun says
  os::Child m_srun;
  std::unique_ptr<os::BytePump> m_pump;
  std::string m_before; // what came before the greeting
  bool m_is_greeted = false;
  bool m_is_lost = false;
  std::chrono::milliseconds m_heard_at; // monotonic
  std::chrono::milliseconds m_asked_at; // last whether it is there: the node, or who knows of it
  bool m_is_asked = false;              // the node, which has not answered
  std::optional<Error> m_problem;       // why, where it is known
  std::uint64_t m_next_call = 1;
};

/// No way to the lease; whoever knows the lease says what became of it.
struct ConnectionLost {
  std::string words; // the last that srun said; may be empty
};

} // namespace pyro::node
