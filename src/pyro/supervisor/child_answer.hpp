// Work that may take long, done in a child process so that the loop goes on; what it found comes back as
// JSON.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/process.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::supervisor {

class ChildAnswer {
public:
  /// Text that parses as the document, unless the child was killed or ran out of something.
  using Callback = std::function<void(const std::string& text)>;

  explicit ChildAnswer(os::EventLoop& loop) : m_loop(loop) {}

  ~ChildAnswer() { end(); }

  ChildAnswer(const ChildAnswer&) = delete;
  ChildAnswer& operator=(const ChildAnswer&) = delete;

  /// Of what is open here, `work` has `kept` alone; it must not throw. Killed after two minutes. Throws
  /// Error(unavailable) where no process can be started.
  void begin(std::vector<int> kept, const std::function<Json()>& work, Callback answered);

  /// Kills the child if it still works; its answer is not heard.
  void end();

private:
  void listen();
  void read_later();
  void read_some();

  os::EventLoop& m_loop;
  os::Child m_child;
  os::Fd m_answer;
  bool m_is_watched = false;
  std::string m_text;
  Callback m_answered;
  os::EventLoop::TimerId m_patience = 0;
  os::EventLoop::TimerId m_next_read = 0; // where it cannot be watched
};

} // namespace pyro::supervisor
