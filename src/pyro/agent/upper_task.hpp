// /upper/list and /upper/read: what the sandbox wrote, for a host that cannot see its disk. A process of ours
// does the reading, so that a slow disk holds up nobody else.
#pragma once

#include "runtime.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/call.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pyro::agent {

class UpperTask : public std::enable_shared_from_this<UpperTask> {
public:
  static void add_operations(protocol::Router& router, Runtime& runtime);

  UpperTask(Runtime& runtime, std::shared_ptr<protocol::Call> call)
      : m_runtime(runtime), m_call(std::move(call)) {}

private:
  /// Input, output; returns the result.
  using Work = std::function<Json(int directory, int input, int output)>;

  static void start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Work& work);
  void begin(const Work& work);
  void listen();
  void try_finish_later();
  void try_finish();

  Runtime& m_runtime;
  std::shared_ptr<protocol::Call> m_call;
  std::optional<InputSink> m_input;
  std::optional<OutputSource> m_data;
  std::optional<OutputSource> m_answer_source;
  std::string m_answer;
  pid_t m_child = 0;
  std::optional<os::Outcome> m_outcome;
  bool m_gone = false;
  bool m_finished = false;
};

} // namespace pyro::agent
