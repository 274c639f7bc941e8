// /tcp/connect: a connection inside the sandbox for a port forwarded from outside.
#pragma once

#include "address.hpp"
#include "runtime.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/call.hpp>

#include <memory>
#include <optional>

namespace pyro::agent {

class TcpTask : public std::enable_shared_from_this<TcpTask> {
public:
  static void start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request);

  TcpTask(Runtime& runtime, std::shared_ptr<protocol::Call> call)
      : m_runtime(runtime), m_call(std::move(call)) {}

  ~TcpTask();

private:
  void try_next();
  void on_connected();
  void stop();

  Runtime& m_runtime;
  std::shared_ptr<protocol::Call> m_call;
  std::string m_where;
  std::vector<os::SocketAddress> m_addresses; // still to try, last first
  os::Fd m_connecting;
  std::string m_early; // data that came before the connection was there
  std::optional<InputSink> m_input;
  std::optional<OutputSource> m_output;
  std::optional<Error> m_last_error;
  bool m_input_ended = false;
};

} // namespace pyro::agent
