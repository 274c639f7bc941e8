#include "file_task.hpp"

#include "call_input.hpp"
#include "file_receiver.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr std::size_t k_max_answer = 64 << 10;

Json answer_to(const protocol::FileChangeRequest& request) {
  try {
    return {{"result", protocol::to_json(receive_file_change(request, 0))}};
  } catch (const Error& error) {
    return {{"error", pyro::to_json(error)}};
  } catch (const std::exception& error) {
    return {{"error", pyro::to_json(Error(ErrorCode::internal, "{}", error.what()))}};
  }
}

/// The other ends of all pipes, the channel to the host too, are not this process' business.
[[noreturn]] void work(const protocol::FileChangeRequest& request, int in, int out) {
  const bool ready = ::dup2(in, 0) == 0 && ::dup2(out, 1) == 1 && ::close_range(3, ~0U, 0) == 0;
  if (!ready) {
    ::_exit(1);
  }
  try {
    os::write_all(1, answer_to(request).dump(-1, ' ', false, Json::error_handler_t::replace));
  } catch (const Error&) {
    ::_exit(1); // nobody listens any more
  }
  ::_exit(0);
}

} // namespace

void FileTask::start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request) {
  const auto checked = protocol::file_change_request_from_json(request);
  std::make_shared<FileTask>(runtime, call)->begin(checked);
}

void FileTask::begin(const protocol::FileChangeRequest& request) {
  auto in = os::make_pipe();
  auto out = os::make_pipe();
  const auto child = ::fork();
  if (child < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (child == 0) {
    work(request, in.read_end.get(), out.write_end.get());
  }
  auto self = shared_from_this();
  m_runtime.reaper.watch(child, [self](os::Outcome outcome) {
    self->m_outcome = outcome;
    self->try_finish();
  });
  m_input.emplace(
      m_runtime.loop, std::move(in.write_end), InputSink::End::close,
      [call = m_call](std::size_t count) { call->consume(count); });
  m_output.emplace(
      m_runtime.loop, std::move(out.read_end), OutputSource::Hangup::is_the_end,
      [this](std::string_view bytes) {
        m_answer += bytes.substr(0, k_max_answer - std::min(k_max_answer, m_answer.size()));
        return true;
      },
      [this] {
        m_runtime.loop.post([weak = weak_from_this()] { // not from within the source's own callback
          if (auto here = weak.lock()) {
            here->try_finish();
          }
        });
      });
  listen();
}

void FileTask::listen() {
  auto self = shared_from_this();
  auto events = input_events(m_call, {self, &m_input});
  events.on_gone = [self] {
    self->m_input.reset(); // an input that ends without a commit changes nothing
  };
  m_call->set_events(std::move(events));
}

void FileTask::try_finish() {
  if (m_finished || !m_outcome || !m_output->has_ended()) {
    return;
  }
  m_finished = true;
  const auto answer = maybe_parse_json(m_answer).value_or(Json());
  if (m_outcome->ok() && answer.is_object() && answer.contains("result")) {
    m_call->finish(answer["result"]);
  } else if (m_outcome->ok() && answer.is_object() && answer.contains("error")) {
    m_call->fail(error_from_json(answer["error"]));
  } else {
    m_call->fail(Error(ErrorCode::failed, "changing files was cut off: {}", os::to_string(*m_outcome)));
  }
  m_input.reset();
  m_output.reset();
}

} // namespace pyro::agent
