// /files/change: passes a call's bytes to a process of ours that changes files, and its answer back. A slow
// disk holds up nobody else.
#pragma once

#include "runtime.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/call.hpp>
#include <pyro/protocol/file_change.hpp>

#include <memory>
#include <optional>
#include <string>

namespace pyro::agent {

class FileTask : public std::enable_shared_from_this<FileTask> {
public:
  static void start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request);

  FileTask(Runtime& runtime, std::shared_ptr<protocol::Call> call)
      : m_runtime(runtime), m_call(std::move(call)) {}

private:
  void begin(const protocol::FileChangeRequest& request);
  void listen();
  void try_finish();

  Runtime& m_runtime;
  std::shared_ptr<protocol::Call> m_call;
  std::optional<InputSink> m_input;
  std::optional<OutputSource> m_output;
  std::string m_answer;
  std::optional<os::Outcome> m_outcome;
  bool m_finished = false;
};

} // namespace pyro::agent
