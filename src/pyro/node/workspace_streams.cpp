#include "workspace_streams.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/unix_socket.hpp>
#include <pyro/protocol/proxy.hpp>

#include <algorithm>
#include <array>

namespace pyro::node {

namespace {

constexpr std::array<std::string_view, 2> k_reachable{"/ports/watch", "/agent/tcp/connect"};

} // namespace

struct WorkspaceStreams::Upstream {
  protocol::Session session{protocol::Role::client};
  std::unique_ptr<os::BytePump> pump;
};

WorkspaceStreams::WorkspaceStreams(os::EventLoop& loop, const std::string& base)
    : m_loop(loop), m_base(base) {
}

WorkspaceStreams::~WorkspaceStreams() = default;

protocol::StreamEvents WorkspaceStreams::open(const protocol::Stream& stream, const std::string& path) {
  const auto slash = std::min(path.find('/', k_workspace_path.size()), path.size());
  const auto rest = path.substr(slash);
  if (std::find(k_reachable.begin(), k_reachable.end(), rest) == k_reachable.end()) {
    throw Error(ErrorCode::protocol, "there is nothing at {}", path);
  }
  const auto id = path.substr(k_workspace_path.size(), slash - k_workspace_path.size());
  auto socket = os::maybe_connect_unix(store::WorkspacePaths(m_base, id).control_socket());
  if (!socket) {
    throw Error(ErrorCode::unavailable, "workspace {} does not run", id);
  }
  auto made = std::make_unique<Upstream>();
  auto* upstream = made.get();
  os::BytePump::Callbacks callbacks;
  callbacks.on_bytes = [upstream](std::string_view bytes) {
    upstream->session.feed(bytes);
  };
  callbacks.pull = [upstream] {
    return upstream->session.take_output();
  };
  callbacks.on_closed = [this, upstream](const Error*) {
    upstream->session.transport_lost();
    drop_later(upstream);
  };
  made->pump = std::make_unique<os::BytePump>(m_loop, std::move(*socket), std::move(callbacks));
  made->session.on_output([upstream] { upstream->pump->wake(); });
  auto events = protocol::proxy_stream(stream, made->session, rest);
  events.on_close = [this, upstream, told = events.on_close](protocol::CloseReason reason) {
    told(reason);
    drop_later(upstream);
  };
  m_upstreams.emplace(upstream, std::move(made));
  return events;
}

/// A turn later: nothing of it is at work then, and what it was to say at the end is on its way.
void WorkspaceStreams::drop_later(Upstream* upstream) {
  m_loop.post([this, upstream] {
    if (const auto found = m_upstreams.find(upstream); found != m_upstreams.end()) {
      found->second->pump->flush();
      m_upstreams.erase(found);
    }
  });
}

} // namespace pyro::node
