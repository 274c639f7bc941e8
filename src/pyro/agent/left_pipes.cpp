#include "left_pipes.hpp"

#include <utility>

namespace pyro::agent {

void LeftPipes::take(os::EventLoop& loop, std::optional<OutputSource>& source) {
  auto fd = source ? source->release() : os::Fd();
  source.reset();
  if (!fd) {
    return;
  }
  m_pipes.remove_if([](const Pipe& pipe) { return pipe.source->has_ended(); });
  if (m_pipes.size() >= k_most) {
    m_pipes.pop_front();
  }
  m_pipes.emplace_back().source.emplace(
      loop, std::move(fd), OutputSource::Hangup::is_the_end, [](std::string_view) { return true; }, nullptr);
}

} // namespace pyro::agent
