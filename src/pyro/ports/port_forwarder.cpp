#include "port_forwarder.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tcp_socket.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <unistd.h>

namespace pyro::ports {

namespace {

constexpr std::size_t k_max_connections = 128;
constexpr const char* k_loopback = "127.0.0.1";

/// Of each port. One that may be any keeps its listener, whichever number it got; of several that are asked
/// for alike each has its own.
std::vector<std::string> keys_of(const Json& ports) {
  std::vector<std::string> keys;
  std::map<std::string, int> alike;
  for (const auto& port : ports) {
    const auto asked = fmt::format(
        "{} {} {} {}", get_string(port, "service"), get_string(port, "address"), get_int(port, "port"),
        get_bool(port, "fixed") ? get_int(port, "host_port") : 0);
    keys.push_back(fmt::format("{} {}", asked, ++alike[asked]));
  }
  return keys;
}

} // namespace

struct PortForwarder::Listener {
  Listener(os::EventLoop& event_loop, os::Fd fd) : loop(event_loop), socket(std::move(fd)) {}

  ~Listener() {
    if (socket) {
      loop.unwatch(socket.get());
    }
  }

  os::EventLoop& loop;
  os::Fd socket; // none: somebody else listens
  int port = 0;  // inside
  Json description;
  std::uint64_t forward = 0; // whose it is; 0: a service's
  Refused refused;
};

/// One connection: bytes of the socket go to the call, bytes of the call to the socket; each side waits for
/// the other.
struct PortForwarder::Connection {
  Connection(PortForwarder& forwarder, const Listener& listener, os::Fd fd)
      : owner(forwarder), socket(std::move(fd)), port(listener.port), forward(listener.forward),
        refused(listener.forward == 0 ? forwarder.m_refused : listener.refused) {}

  ~Connection() {
    owner.m_loop.unwatch(socket.get());
    if (call) {
      call->set_events({});
      call->cancel();
    }
  }

  void start() {
    protocol::CallEvents events;
    events.on_message = [this](const Json&) {
      connected = true;
    };
    events.on_data = [this](protocol::FrameType, std::string_view bytes) {
      outgoing += bytes;
      write_some();
    };
    events.on_writable = [this] {
      reading = !input_ended;
      update();
    };
    events.on_result = [this](const Json&) {
      finished = true;
      write_some();
    };
    events.on_failure = [this](const Error& error) {
      if (!connected && refused) {
        refused(port, error.message());
      }
      close_later();
    };
    call = protocol::open_call(
        owner.m_agent, owner.m_prefix + std::string(protocol::path::k_tcp_connect),
        protocol::to_json(protocol::TcpConnect{"127.0.0.1", port}), std::move(events));
    owner.m_loop.watch(socket.get(), EPOLLIN, [this](std::uint32_t events_seen) {
      if ((events_seen & (EPOLLERR | EPOLLHUP)) != 0 && !reading) {
        close_later();
        return;
      }
      if ((events_seen & (EPOLLIN | EPOLLHUP)) != 0 && reading) {
        read_some();
      }
      if ((events_seen & EPOLLOUT) != 0) {
        write_some();
      }
    });
  }

  void read_some() {
    std::array<char, 16384> buffer{};
    const auto count = ::read(socket.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (count <= 0) {
      input_ended = true;
      reading = false;
      call->end_in();
    } else if (!call->send(protocol::FrameType::data_in, {buffer.data(), static_cast<std::size_t>(count)})) {
      reading = false;
    }
    update();
  }

  void write_some() {
    while (!outgoing.empty()) {
      const auto count = ::send(socket.get(), outgoing.data(), outgoing.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) {
        break;
      }
      if (count < 0) {
        close_later();
        return;
      }
      outgoing.erase(0, static_cast<std::size_t>(count));
      call->consume(static_cast<std::size_t>(count));
    }
    if (finished && outgoing.empty()) {
      close_later();
      return;
    }
    update();
  }

  void update() {
    const auto wanted = (reading ? EPOLLIN : 0U) | (outgoing.empty() ? 0U : EPOLLOUT);
    if (!closing) {
      owner.m_loop.modify(socket.get(), wanted);
    }
  }

  void close_later() {
    if (!std::exchange(closing, true)) {
      owner.m_loop.unwatch(socket.get());
      owner.m_loop.post([forwarder = &owner, this] { forwarder->drop(this); });
    }
  }

  PortForwarder& owner;
  os::Fd socket;
  int port;
  std::uint64_t forward;
  Refused refused;
  bool connected = false;
  std::shared_ptr<protocol::Call> call;
  std::string outgoing;
  bool reading = true;
  bool input_ended = false;
  bool finished = false;
  bool closing = false;
};

PortForwarder::PortForwarder(
    os::EventLoop& loop, protocol::Session& agent, std::string prefix, Listens listens)
    : m_loop(loop), m_agent(agent), m_prefix(std::move(prefix)), m_listens(listens) {
}

PortForwarder::~PortForwarder() = default;

std::unique_ptr<PortForwarder::Listener> PortForwarder::listen(const Json& port) {
  const auto address = get_string(port, "address");
  const auto wanted = static_cast<int>(get_int(port, "host_port"));
  os::Fd socket;
  try {
    socket = m_listens == Listens::yes ? os::listen_tcp(address, wanted) : os::Fd();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists || get_bool(port, "fixed")) {
      throw;
    }
    socket = os::listen_tcp(address, 0);
  }
  auto listener = std::make_unique<Listener>(m_loop, std::move(socket));
  listener->port = static_cast<int>(get_int(port, "port"));
  listener->description = port;
  listener->description["host_port"] = listener->socket ? os::port_of(listener->socket.get()) : wanted;
  return listener;
}

Json PortForwarder::set(const Json& ports) {
  const auto keys = keys_of(ports);
  const std::set<std::string> wanted(keys.begin(), keys.end());
  std::map<std::string, std::unique_ptr<Listener>> fresh;
  std::map<std::string, std::pair<std::string, Json>> moved; // from the key of an old one to what it is now
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& port = ports[i];
    const auto& key = keys[i];
    if (m_listeners.contains(key)) {
      continue;
    }
    // Our own listener at that port does not stand in the way of what takes its place.
    const auto old = std::find_if(m_listeners.begin(), m_listeners.end(), [&](const auto& entry) {
      const auto& description = entry.second->description;
      return get_bool(port, "fixed") && !wanted.contains(entry.first) && !moved.contains(entry.first)
             && description["address"] == port["address"] && description["host_port"] == port["host_port"];
    });
    if (old != m_listeners.end()) {
      moved[old->first] = {key, port};
    } else {
      fresh[key] = listen(port);
    }
  }
  for (auto& [key, what] : moved) {
    auto listener = std::move(m_listeners.extract(key).mapped());
    listener->port = static_cast<int>(get_int(what.second, "port"));
    listener->description = what.second;
    m_listeners[what.first] = std::move(listener);
  }
  std::erase_if(m_listeners, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (auto& [key, listener] : fresh) {
    watch(*listener);
    m_listeners[key] = std::move(listener);
  }
  tell_change();
  return published();
}

Json PortForwarder::published() const {
  Json list = Json::array();
  for (const auto& [key, listener] : m_listeners) {
    list.push_back(listener->description);
  }
  return list;
}

Json PortForwarder::all() const {
  auto list = published();
  for (const auto& [service, listeners] : m_by_hand) {
    for (const auto& listener : listeners) {
      list.push_back(listener->description);
    }
  }
  return list;
}

void PortForwarder::tell_change() const {
  if (m_changed) {
    m_changed();
  }
}

void PortForwarder::watch(Listener& listener) {
  if (!listener.socket) {
    return;
  }
  m_loop.watch(listener.socket.get(), EPOLLIN, [this, &listener](std::uint32_t) { accept(listener); });
}

std::vector<std::unique_ptr<PortForwarder::Listener>>
PortForwarder::listen_all(const std::string& service, const Json& ports) {
  std::vector<std::unique_ptr<Listener>> fresh;
  for (const auto& port : ports) {
    const auto host_port = int_or(port, "host_port", 0);
    fresh.push_back(listen(
        {{"service", service},
         {"address", k_loopback},
         {"host_port", host_port},
         {"fixed", host_port != 0},
         {"port", get_int(port, "guest_port")}}));
  }
  for (const auto& listener : fresh) {
    watch(*listener);
  }
  return fresh;
}

Json PortForwarder::published_by(const std::vector<std::unique_ptr<Listener>>& listeners) {
  Json published = Json::array();
  for (const auto& listener : listeners) {
    published.push_back(
        {{"guest_port", listener->port},
         {"host_port", listener->description["host_port"]},
         {"host", k_loopback},
         {"protocol", "tcp"}});
  }
  return published;
}

Json PortForwarder::publish(const std::string& service, const Json& ports) {
  auto fresh = listen_all(service, ports);
  auto published = published_by(fresh);
  m_by_hand[service] = std::move(fresh);
  tell_change();
  return published;
}

void PortForwarder::withdraw(const std::string& service) {
  if (m_by_hand.erase(service) > 0) {
    tell_change();
  }
}

PortForwarder::Forward PortForwarder::forward(const Json& ports, const Refused& refused) {
  auto fresh = listen_all("", ports);
  Forward forward{++m_last_forward, published_by(fresh)};
  for (const auto& listener : fresh) {
    listener->forward = forward.id;
    listener->refused = refused;
  }
  m_forwards[forward.id] = std::move(fresh);
  return forward;
}

void PortForwarder::end_forward(std::uint64_t id) {
  m_forwards.erase(id);
  for (const auto& [key, connection] : m_connections) {
    if (connection->forward == id) {
      connection->refused = nullptr;
      connection->close_later();
    }
  }
}

void PortForwarder::accept(Listener& listener) {
  const auto& refused = listener.forward == 0 ? m_refused : listener.refused;
  while (auto socket = os::accept_tcp(listener.socket.get())) {
    if (m_connections.size() >= k_max_connections) {
      if (refused) {
        refused(listener.port, fmt::format("there are {} connections already", k_max_connections));
      }
      continue; // closed at once: the one who connects sees it and may try again
    }
    auto connection = std::make_unique<Connection>(*this, listener, std::move(*socket));
    auto* raw = connection.get();
    m_connections.emplace(raw, std::move(connection));
    try {
      raw->start();
    } catch (const Error&) {
      m_connections.erase(raw); // the agent takes no more calls right now
    }
  }
}

void PortForwarder::drop(Connection* connection) {
  m_connections.erase(connection);
}

} // namespace pyro::ports
