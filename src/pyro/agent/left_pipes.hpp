// The output of commands that are over, where somebody in the background still has it open: read and thrown
// away, so that writers go on instead of dying of SIGPIPE. Costs nothing while nobody writes.
#pragma once

#include "stream_io.hpp"

#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>

#include <cstddef>
#include <list>
#include <optional>

namespace pyro::agent {

class LeftPipes {
public:
  /// Who keeps more of them open than this (it takes as many commands) loses the oldest.
  static constexpr std::size_t k_most = 256;

  /// What a source still has open is read on here; the source has ended. Nothing for one that has ended.
  void take(os::EventLoop& loop, std::optional<OutputSource>& source);

private:
  struct Pipe {
    std::optional<OutputSource> source;
  };

  std::list<Pipe> m_pipes;
};

} // namespace pyro::agent
