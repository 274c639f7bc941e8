#include "upper_task.hpp"

#include "call_input.hpp"
#include "upper_reader.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/protocol/upper_content.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr std::size_t k_max_upper_answer = 64 << 10;
constexpr int k_answer = 3;
constexpr int k_directory = 4;

/// The numbers that the work finds its descriptors under; nothing else of ours stays open.
bool keep_only(int input, int output, int answer, int directory) {
  constexpr int k_out_of_the_way = 10;
  const auto kept_answer = os::duplicate(answer, k_out_of_the_way);
  const auto kept_directory = os::duplicate(directory, k_out_of_the_way);
  return ::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(kept_answer.get(), k_answer) == k_answer
         && ::dup2(kept_directory.get(), k_directory) == k_directory
         && ::close_range(k_directory + 1, ~0U, 0) == 0;
}

Json answer_of(const std::function<Json()>& work) {
  try {
    return {{"result", work()}};
  } catch (const Error& error) {
    return {{"error", pyro::to_json(error)}};
  } catch (const std::exception& error) {
    return {{"error", pyro::to_json(Error(ErrorCode::internal, "{}", error.what()))}};
  }
}

} // namespace

void UpperTask::add_operations(protocol::Router& router, Runtime& runtime) {
  router.add(std::string(protocol::path::k_upper_list), [&runtime](const auto& call, const Json&) {
    start(runtime, call, [](int directory, int, int output) { return list_upper(directory, output); });
  });
  router.add(std::string(protocol::path::k_upper_read), [&runtime](const auto& call, const Json&) {
    start(runtime, call, read_upper);
  });
}

void UpperTask::start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Work& work) {
  if (runtime.upper_dir.empty()) {
    throw Error(ErrorCode::unavailable, "this agent does not serve the writable layer: the host sees it");
  }
  std::make_shared<UpperTask>(runtime, call)->begin(work);
}

void UpperTask::begin(const Work& work) {
  const auto directory = os::open_file(m_runtime.upper_dir, O_RDONLY | O_DIRECTORY);
  auto in = os::make_pipe();
  auto data = os::make_pipe();
  auto answer = os::make_pipe();
  m_child = ::fork();
  if (m_child < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (m_child == 0) {
    try {
      if (!keep_only(in.read_end.get(), data.write_end.get(), answer.write_end.get(), directory.get())) {
        ::_exit(1);
      }
      const auto text = answer_of([&] { return work(k_directory, 0, 1); });
      os::write_all(k_answer, text.dump(-1, ' ', false, Json::error_handler_t::replace));
    } catch (const std::exception&) {
      ::_exit(1); // nobody listens any more
    }
    ::_exit(0);
  }
  auto self = shared_from_this();
  m_runtime.reaper.watch(m_child, [self](os::Outcome outcome) {
    self->m_outcome = outcome;
    self->try_finish();
  });
  m_input.emplace(
      m_runtime.loop, std::move(in.write_end), InputSink::End::close,
      [call = m_call](std::size_t count) { call->consume(count); });
  m_data.emplace(
      m_runtime.loop, std::move(data.read_end), OutputSource::Hangup::is_the_end,
      [this](std::string_view bytes) { return m_gone || m_call->send(protocol::FrameType::data_out, bytes); },
      [this] { try_finish_later(); });
  m_answer_source.emplace(
      m_runtime.loop, std::move(answer.read_end), OutputSource::Hangup::is_the_end,
      [this](std::string_view bytes) {
        m_answer += bytes.substr(0, k_max_upper_answer - std::min(k_max_upper_answer, m_answer.size()));
        return true;
      },
      [this] { try_finish_later(); });
  listen();
}

void UpperTask::listen() {
  auto self = shared_from_this();
  auto events = input_events(m_call, {self, &m_input});
  events.on_writable = [self] {
    if (self->m_data) {
      self->m_data->resume();
    }
  };
  events.on_gone = [self] {
    self->m_gone = true;
    self->m_input.reset();
    if (!self->m_outcome) {
      ::kill(self->m_child, SIGKILL);
    }
    if (self->m_data) {
      self->m_data->resume();
    }
  };
  m_call->set_events(std::move(events));
}

/// Not from within the source's own callback.
void UpperTask::try_finish_later() {
  m_runtime.loop.post([weak = weak_from_this()] {
    if (auto here = weak.lock()) {
      here->try_finish();
    }
  });
}

void UpperTask::try_finish() {
  if (m_finished || !m_outcome || !m_data->has_ended() || !m_answer_source->has_ended()) {
    return;
  }
  m_finished = true;
  const auto answer = maybe_parse_json(m_answer).value_or(Json());
  if (m_outcome->ok() && answer.is_object() && answer.contains("result")) {
    m_call->finish(answer["result"]);
  } else if (m_outcome->ok() && answer.is_object() && answer.contains("error")) {
    m_call->fail(error_from_json(answer["error"]));
  } else {
    m_call->fail(
        Error(ErrorCode::failed, "reading the writable layer was cut off: {}", os::to_string(*m_outcome)));
  }
  m_input.reset();
  m_data.reset();
  m_answer_source.reset();
}

} // namespace pyro::agent
