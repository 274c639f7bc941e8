#include "tcp.hpp"

#include <pyro/protocol/requests.hpp>

#include <sys/epoll.h>

namespace pyro::agent {

using protocol::FrameType;

void TcpTask::start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request) {
  auto wanted = protocol::tcp_connect_from_json(request);
  auto task = std::make_shared<TcpTask>(runtime, call);
  task->m_where = fmt::format("{}:{}", wanted.host, wanted.port);
  task->m_addresses = resolve_host(wanted.host, wanted.port);
  std::reverse(task->m_addresses.begin(), task->m_addresses.end());

  protocol::CallEvents events;
  events.on_data = [task](FrameType, std::string_view bytes) {
    if (task->m_input) {
      task->m_input->write(bytes);
    } else {
      task->m_early.append(bytes); // at most a window, for it is not consumed
    }
  };
  events.on_end_in = [task] {
    task->m_input_ended = true;
    if (task->m_input) {
      task->m_input->end();
    }
  };
  events.on_writable = [task] {
    if (task->m_output) {
      task->m_output->resume();
    }
  };
  events.on_gone = [task] {
    task->stop();
  };
  call->set_events(std::move(events));
  task->try_next();
}

TcpTask::~TcpTask() {
  stop();
}

void TcpTask::try_next() {
  while (!m_addresses.empty()) {
    auto address = m_addresses.back();
    m_addresses.pop_back();
    try {
      m_connecting = os::start_connect(address);
    } catch (const Error& error) {
      m_last_error = error;
      continue;
    }
    m_runtime.loop.watch(m_connecting.get(), EPOLLOUT, [self = shared_from_this()](std::uint32_t) {
      self->m_runtime.loop.unwatch(self->m_connecting.get());
      if (auto error = os::connect_error(self->m_connecting.get())) {
        self->m_connecting.reset();
        self->m_last_error = Error::from_errno(error, "connect to " + self->m_where);
        self->try_next();
      } else {
        self->on_connected();
      }
    });
    return;
  }
  m_call->fail(m_last_error.value_or(Error(ErrorCode::unavailable, "cannot connect to {}", m_where)));
}

void TcpTask::on_connected() {
  m_call->send(Json{{"connected", true}});
  m_input.emplace(
      m_runtime.loop, os::duplicate(m_connecting.get()), InputSink::End::shutdown,
      [call = m_call](std::size_t count) { call->consume(count); });
  m_input->write(std::exchange(m_early, {}));
  if (m_input_ended) {
    m_input->end();
  }
  m_output.emplace(
      m_runtime.loop, std::move(m_connecting), OutputSource::Hangup::is_the_end,
      [this](std::string_view bytes) { return m_call->send(FrameType::data_out, bytes); },
      [this] { m_runtime.loop.post([call = m_call] { call->finish(Json::object()); }); });
}

void TcpTask::stop() {
  if (m_connecting) {
    m_runtime.loop.unwatch(m_connecting.get());
    m_connecting.reset();
  }
  m_input.reset();
  m_output.reset();
}

} // namespace pyro::agent
