// What of a workspace's supervisor the other end of a connection reaches without a call: which ports are
// published, and connections to ports inside. Each stream has a connection to the supervisor of its own, so
// that what nobody uses any more counts as unused there.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/session.hpp>
#include <pyro/store/layout.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::node {

/// "/workspace/ID/ports/watch", "/workspace/ID/agent/tcp/connect"
inline constexpr std::string_view k_workspace_path = "/workspace/";

class WorkspaceStreams {
public:
  WorkspaceStreams(os::EventLoop& loop, const std::string& base);
  ~WorkspaceStreams();

  /// Throws Error(protocol) for another path, Error(unavailable) where the workspace does not run.
  protocol::StreamEvents open(const protocol::Stream& stream, const std::string& path);

private:
  struct Upstream;

  void drop_later(Upstream* upstream);

  os::EventLoop& m_loop;
  const store::Base m_base;
  std::map<Upstream*, std::unique_ptr<Upstream>> m_upstreams;
};

} // namespace pyro::node
