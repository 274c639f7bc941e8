// The bytes of one channel: what the client sends goes to a call, what the call says goes to the client, each
// as fast as the other side takes it. Whoever turns the loop calls pump() after every turn.
#pragma once

#include "handles.hpp"

#include <pyro/base/redactor.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/call.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::ssh {

class Stream {
public:
  struct Handlers {
    /// The call's answer. Both may say() something of it.
    std::function<void(const Json& result)> on_result;
    std::function<void(const Error& error)> on_failure;
    /// Afterwards, once the client has all of the output.
    std::function<void()> before_close;
  };

  /// `secrets`: what has to be taken out of the output; nullptr: the bytes go as they are.
  Stream(ssh_channel channel, os::EventLoop& loop, const Redactor* secrets, Handlers handlers);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// For the call that start() is given.
  protocol::CallEvents events();
  void start(std::shared_ptr<protocol::Call> call);

  /// nullptr before start().
  const std::shared_ptr<protocol::Call>& call() const { return m_call; }

  /// Text of ours at the end of the error output.
  void say(std::string_view text) { m_err.pending += text; }

  /// What can be done right now. True: something was.
  bool pump();

  /// Closed by both sides, or by the client alone: then the call has been cancelled.
  bool is_over() const { return m_is_over; }

private:
  struct Output {
    explicit Output(const Redactor& secrets) : redacted(secrets) {}

    RedactedStream redacted;
    std::string pending;
  };

  void take(Output& output, std::string_view bytes);
  void show_held();
  bool read_input();
  bool write_output(Output& output, bool is_error);
  void close();

  ssh_channel m_channel;
  os::EventLoop& m_loop;
  const Redactor* m_secrets;
  Handlers m_handlers;
  std::shared_ptr<protocol::Call> m_call;
  Redactor m_none;
  Output m_out;
  Output m_err;
  std::size_t m_owed = 0; // bytes received and not yet given leave for again
  bool m_has_answer = false;
  os::EventLoop::TimerId m_timer = 0;
  bool m_input_ended = false;
  bool m_is_over = false;
};

} // namespace pyro::ssh
