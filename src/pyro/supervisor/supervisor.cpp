#include "supervisor.hpp"

#include "suspended_agent.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/spare_memory.hpp>
#include <pyro/os/unix_socket.hpp>
#include <pyro/protocol/proxy.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <csignal>
#include <unistd.h>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_max_clients = 256;
/// How long the agent may take to end everybody; then the sandbox as a whole is ended.
constexpr std::chrono::milliseconds k_stop_patience{10'000};
constexpr std::chrono::milliseconds k_until_rest{1'000}; // after the last client

os::BytePump::Callbacks pump_session(protocol::Session& session, std::function<void()> closed) {
  return {
      .on_bytes = [&session](std::string_view bytes) { session.feed(bytes); },
      .pull = [&session] { return session.take_output(); },
      .on_closed =
          [&session, closed = std::move(closed)](const Error*) {
            session.transport_lost();
            closed();
          }};
}

} // namespace

struct Supervisor::AgentLink {
  protocol::Session session{protocol::Role::client};
  std::unique_ptr<os::BytePump> pump;
};

struct Supervisor::Client {
  protocol::Session session{protocol::Role::server};
  std::unique_ptr<os::BytePump> pump;
};

Supervisor::Supervisor(
    backend::LaunchSpec spec, std::unique_ptr<Guest> guest, Json launch_timings,
    std::vector<std::string> notes, std::function<void(const Json&)> ready)
    : m_spec(std::move(spec)), m_guest(std::move(guest)), m_timings(std::move(launch_timings)),
      m_notes(std::move(notes)), m_ready(std::move(ready)), m_started_at(os::now_epoch()), m_events(m_spec) {
}

Supervisor::~Supervisor() = default;

void Supervisor::run() {
  m_loop.on_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD}, [this](int signal) {
    if (signal != SIGCHLD) {
      end("terminated");
    }
  });
  add_operations();
  listen();
  m_guest->watch(m_loop);
  connect_agent();
  if (m_guest->has_answered()) {
    announce();
  } else {
    greet_agent();
  }
  arm_expiry();
  watch_idleness();
  watch_disk();
  watch_user_limits();
  watch_gateway();
  m_loop.run();
}

void Supervisor::connect_agent() {
  m_agent = std::make_unique<AgentLink>();
  m_channel = m_guest->take_channel();
  begin_agent_session();
  m_agent->session.on_output([this] {
    if (m_agent->pump) {
      m_agent->pump->wake();
    }
  });
  m_ports = std::make_unique<ports::PortForwarder>(
      m_loop, m_agent->session, "", m_spec.ports_elsewhere ? ports::Listens::no : ports::Listens::yes);
  m_ports->on_change([this] {
    for (const auto& call : m_port_watchers) {
      if (!call->is_full()) { // who does not read is told once it does
        call->send(Json{{"ports", m_ports->all()}});
      }
    }
  });
}

void Supervisor::begin_agent_session() {
  m_agent->pump = std::make_unique<os::BytePump>(
      m_loop, os::duplicate(m_channel.get()),
      pump_session(m_agent->session, [this] { end(m_leaving.empty() ? "the sandbox ended" : m_leaving); }));
}

void Supervisor::greet_agent() {
  protocol::CallEvents events;
  events.on_result = [this](const Json& result) {
    try {
      std::ignore = protocol::hello_from_json(result); // features are asked by the clients that need them
    } catch (const Error& error) {
      end(fmt::format("the agent's greeting makes no sense: {}", error.what()));
      return;
    }
    announce();
  };
  events.on_failure = [this](const Error& error) {
    end(fmt::format("the agent did not answer: {}", error.what()));
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_hello), Json::object(), std::move(events));
}

void Supervisor::announce() {
  m_is_up = true;
  m_ready(backend::to_json(backend::Launched{::getpid(), m_guest->pid(), m_notes, m_timings}));
  follow_services();
}

/// An agent that knows nothing of this goes without.
void Supervisor::follow_services() {
  if (m_spec.events_dir.empty()) {
    return;
  }
  protocol::CallEvents events;
  events.on_message = [this](const Json& frame) {
    try {
      m_events.services(frame, [this] { return m_secrets.redactor(); });
    } catch (const std::exception&) {
      m_services->cancel(); // it makes no sense
    }
  };
  m_services = protocol::open_call(
      m_agent->session, std::string(protocol::path::k_services_follow), Json::object(), std::move(events));
}

void Supervisor::listen() {
  m_listener = os::listen_unix(m_spec.runtime_dir + "/control.sock");
  m_loop.watch(m_listener.get(), EPOLLIN, [this](std::uint32_t) { accept_clients(); });
}

void Supervisor::accept_clients() {
  while (auto socket = os::accept_unix(m_listener.get())) {
    // Only the owner of the workspace may talk to it; the socket's directory is 0700 as well.
    const auto peer = os::peer_credentials(socket->get());
    if ((peer.uid != ::geteuid() && peer.uid != 0) || m_clients.size() >= k_max_clients) {
      continue;
    }
    try {
      add_client(std::move(*socket));
    } catch (const Error&) {
      continue; // the user has no more watches; the others go on, and this one sees its connection close
    }
    m_last_use = os::now_monotonic();
  }
}

void Supervisor::add_client(os::Fd socket) {
  auto client = std::make_unique<Client>();
  auto* key = client.get();
  client->pump = std::make_unique<os::BytePump>(
      m_loop, std::move(socket),
      pump_session(client->session, [this, key] { m_loop.post([this, key] { drop_client(key); }); }));
  client->session.on_output([key] { key->pump->wake(); });
  m_router.attach(client->session);
  m_clients.emplace(key, std::move(client));
}

void Supervisor::drop_client(Client* client) {
  m_clients.erase(client);
  m_last_use = os::now_monotonic();
  if (m_clients.empty()) {
    m_loop.cancel(m_rest);
    m_rest = m_loop.after(k_until_rest, os::give_back_spare_memory);
  }
}

void Supervisor::add_operations() {
  m_router.add("/status", [this](const auto& call, const Json&) { call->finish(status()); });
  m_router.add(
      "/resources", [this](const auto& call, const Json&) { call->finish(to_json(m_guest->use())); });
  m_router.add("/stop", [this](const auto& call, const Json& request) {
    stop(call, int_or(request, "grace_ms", 10'000));
  });
  m_router.add("/freeze", [this](const auto& call, const Json&) { freeze(call); });
  m_router.add("/save", [this](const auto& call, const Json& request) {
    save(call, get_string(request, "directory"));
  });
  m_router.add("/lifetime", [this](const auto& call, const Json& request) {
    m_spec.expires_at = get_double(request, "expires_at");
    m_spec.idle_ms = int_or(request, "idle_ms", 0);
    arm_expiry();
    watch_idleness();
    call->finish(Json::object());
  });
  m_router.add("/disk", [this](const auto& call, const Json& request) {
    if (m_disk) {
      m_disk->set_limit(
          static_cast<std::uint64_t>(std::max<std::int64_t>(get_int(request, "limit_bytes"), 0)));
    }
    call->finish({{"held", m_disk != nullptr}});
  });
  m_router.add("/egress", [this](const auto& call, const Json& request) {
    auto* gateway = m_guest->gateway();
    if (gateway == nullptr) {
      throw Error(ErrorCode::bad_state, "the sandbox was not started with a list of hosts");
    }
    gateway->set_rules(get_strings(request, "rules"));
    read_gateway(*gateway);
    call->finish(Json::object());
  });
  m_router.add("/network", [this](const auto& call, const Json& request) {
    if (auto* gateway = m_guest->gateway()) {
      gateway->settle();
      read_gateway(*gateway);
    }
    call->finish(m_network_use.refused_since(static_cast<std::uint64_t>(get_int(request, "since"))));
  });
  m_router.add(
      "/network/hosts", [this](const auto& call, const Json&) { call->finish(m_network_use.counts()); });
  m_router.add(
      std::string(protocol::path::k_requests_secrets),
      [this](const auto& call, const Json& request) { put_into_requests(call, request); });
  m_router.add("/ports", [this](const auto& call, const Json& request) {
    call->finish({{"ports", m_ports->set(value_at(request, "ports"))}});
  });
  m_router.add("/ports/publish", [this](const auto& call, const Json& request) { publish(call, request); });
  m_router.add("/ports/forward", [this](const auto& call, const Json& request) { forward(call, request); });
  m_router.add("/ports/watch", [this](const auto& call, const Json&) { watch_ports(call); });
  m_secrets.add_operations(m_router);
  m_router.add(
      "/agent" + std::string(protocol::path::k_secrets_put),
      [this](const auto& call, const Json& request) { deliver_secret(call, request); });
  m_router.add_prefix("/agent/", [this](protocol::Stream stream, const std::string& path) {
    return protocol::proxy_stream(
        std::move(stream), m_agent->session, path.substr(std::string_view("/agent").size()));
  });
}

void Supervisor::shut_down(const std::string& reason, std::int64_t grace_ms, std::function<void()> ended) {
  m_leaving = reason;
  const auto done = [this, ended = std::move(ended)] {
    ended();
    m_loop.post([this] { end(m_leaving); });
  };
  protocol::CallEvents events;
  events.on_result = [done](const Json&) {
    done();
  };
  events.on_failure = [done](const Error&) {
    done();
  }; // a sandbox that is gone is stopped as well
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_shutdown),
      protocol::to_json(protocol::Shutdown{grace_ms}), std::move(events));
  // An agent that does not obey is killed with everything else.
  m_loop.after(std::chrono::milliseconds(grace_ms + 5000), [done] { done(); });
}

void Supervisor::stop(const std::shared_ptr<protocol::Call>& call, std::int64_t grace_ms) {
  shut_down("stopped", grace_ms, [call] { call->finish(Json::object()); });
}

/// Noted first: whoever takes secrets out of what is said in there has to know it before it can be said.
void Supervisor::deliver_secret(const std::shared_ptr<protocol::Call>& call, const Json& request) {
  const auto secret = protocol::secret_put_from_json(request);
  m_secrets.note({secret.name, secret.value});
  protocol::CallEvents events;
  events.on_result = [call](const Json& result) {
    call->finish(result);
  };
  events.on_failure = [call](const Error& error) {
    call->fail(error);
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_secrets_put), request, std::move(events));
}

/// Noted although it is not inside: a server may send one back.
void Supervisor::put_into_requests(const std::shared_ptr<protocol::Call>& call, const Json& request) {
  auto* gateway = m_guest->gateway();
  if (gateway == nullptr) {
    throw Error(ErrorCode::bad_state, "the sandbox was not started with a list of hosts");
  }
  const auto& secrets = value_at(request, "secrets");
  for (const auto& secret : secrets) {
    if (maybe_string(secret, "value")) {
      m_secrets.note(protocol::secret_note_from_json(secret));
    }
  }
  const auto certificate = gateway->set_secrets(secrets);
  read_gateway(*gateway);
  protocol::CallEvents events;
  events.on_result = [call](const Json&) {
    call->finish(Json::object());
  };
  events.on_failure = [call](const Error& error) {
    call->fail(error);
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_authority),
      protocol::to_json(protocol::Authority{certificate}), std::move(events));
}

void Supervisor::publish(const std::shared_ptr<protocol::Call>& call, const Json& request) {
  const auto service = get_string(request, "service");
  const auto published = m_ports->publish(service, value_at(request, "ports"));
  protocol::CallEvents events;
  events.on_result = [this, service](const Json&) {
    m_ports->withdraw(service);
  };
  events.on_failure = [this, service](const Error&) {
    m_ports->withdraw(service);
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_services_ended),
      protocol::to_json(protocol::ServicesEnded{service}), std::move(events));
  call->finish({{"ports", published}});
}

void Supervisor::forward(const std::shared_ptr<protocol::Call>& call, const Json& request) {
  const auto forward = m_ports->forward(value_at(request, "ports"), [call](int port, const std::string& why) {
    if (!call->is_full()) { // who does not read does not want to know
      call->send(Json{{"refused", {{"port", port}, {"reason", why}}}});
    }
  });
  protocol::CallEvents events;
  events.on_gone = [this, id = forward.id] {
    m_ports->end_forward(id);
  };
  call->set_events(std::move(events));
  call->send(Json{{"ports", forward.ports}});
}

void Supervisor::watch_ports(const std::shared_ptr<protocol::Call>& call) {
  protocol::CallEvents events;
  events.on_gone = [this, call] {
    m_port_watchers.erase(call);
  };
  events.on_writable = [this, call] {
    call->send(Json{{"ports", m_ports->all()}});
  };
  call->set_events(std::move(events));
  m_port_watchers.insert(call);
  call->send(Json{{"ports", m_ports->all()}});
}

void Supervisor::freeze(const std::shared_ptr<protocol::Call>& call) {
  if (m_freezer) {
    throw Error(ErrorCode::bad_state, "the sandbox is being captured by somebody else");
  }
  m_freezer = call;
  protocol::CallEvents events;
  events.on_message = [this, call](const Json& message) {
    if (bool_or(message, "thaw", false)) {
      thaw();
      call->finish(Json::object());
    }
  };
  events.on_gone = [this] {
    thaw();
  }; // a client that dies must not leave the sandbox frozen
  call->set_events(std::move(events));
  if (m_guest->freeze()) {
    call->send(Json{{"frozen", true}});
    return;
  }
  m_frozen_by_agent = true;
  protocol::CallEvents answer;
  answer.on_result = [call](const Json&) {
    call->send(Json{{"frozen", true}});
  };
  answer.on_failure = [this, call](const Error& error) {
    m_freezer.reset();
    m_frozen_by_agent = false;
    call->fail(error);
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_freeze), Json::object(), std::move(answer));
}

void Supervisor::save(const std::shared_ptr<protocol::Call>& call, const std::string& directory) {
  if (!m_guest->can_save()) {
    throw Error(ErrorCode::unavailable, "the memory of this sandbox cannot be kept");
  }
  if (m_services) {
    m_services->cancel();
  }
  m_agent->pump->flush();
  if (m_freezer || m_agent->session.open_streams() > 0 || !m_agent->pump->is_drained()) {
    follow_services();
    throw Error(ErrorCode::bad_state, "the sandbox is in use: its memory is not kept");
  }
  const auto began = os::now_monotonic();
  m_agent->pump.reset();
  try {
    SuspendedAgent agent(m_agent->session, m_channel.get());
    m_guest->save(directory);
    agent.resume();
  } catch (const Error& error) {
    call->fail(error);
    m_loop.post([this] { end("its memory could not be kept"); });
    return;
  }
  m_agent->session.start_over();
  begin_agent_session();
  follow_services();
  call->finish({{"pause_ms", (os::now_monotonic() - began).count()}});
}

void Supervisor::thaw() {
  if (!m_freezer) {
    return;
  }
  m_freezer.reset();
  if (std::exchange(m_frozen_by_agent, false)) {
    protocol::open_call(m_agent->session, std::string(protocol::path::k_thaw), Json::object(), {});
  } else {
    m_guest->thaw();
  }
}

void Supervisor::watch_disk() {
  if (m_spec.kind != backend::LaunchKind::namespaces || m_spec.limits.disk_bytes <= 0) {
    return; // the disk of a machine has its size; on the host nothing is held, and `doctor` says so
  }
  const auto freeze = [this] {
    return !m_freezer && m_guest->freeze();
  };
  const auto thaw = [this] {
    if (!m_freezer) { // who captures the sandbox meanwhile thaws it
      m_guest->thaw();
    }
  };
  m_disk = std::make_unique<DiskWatch>(
      m_loop, m_spec.generation_dir, m_guest->pid(), static_cast<std::uint64_t>(m_spec.limits.disk_bytes),
      m_spec.disk_project,
      DiskWatch::Hooks{
          freeze, thaw, [this](const LimitStop& what, auto ended) { stop_processes(what, std::move(ended)); },
          [this](const LimitStop& what) {
            m_events.limit_reached(what);
          }});
  m_disk->begin();
}

/// Machines and the host's own programs have nothing of the kind to hold them by.
void Supervisor::watch_user_limits() {
  if (m_spec.kind != backend::LaunchKind::namespaces
      || os::IdSpace::current().kind() == os::IdSpace::Kind::shifted) {
    return;
  }
  m_user_limits =
      std::make_unique<UserLimitWatch>(m_loop, m_guest->pid(), [this](const LimitStop& what, auto ended) {
        stop_processes(what, std::move(ended));
      });
  m_user_limits->begin();
}

void Supervisor::watch_gateway() {
  auto* gateway = m_guest->gateway();
  if (gateway == nullptr) {
    return;
  }
  m_network.emplace(m_spec.runtime_dir + "/network");
  m_loop.watch(gateway->descriptor(), EPOLLIN, [this, gateway](std::uint32_t) { read_gateway(*gateway); });
}

void Supervisor::read_gateway(backend::Gateway& gateway) {
  try {
    for (auto record = gateway.take_record(); !record.is_null(); record = gateway.take_record()) {
      if (const auto access = record.find("access"); access != record.end()) {
        m_network_use.add_access(*access, os::now_epoch());
        m_network->add(std::move(*access));
      } else {
        m_network_use.add_traffic(value_at(record, "traffic"));
      }
    }
  } catch (const Error& error) {
    m_loop.unwatch(gateway.descriptor());
    m_notes.push_back(fmt::format("nothing outside can be reached any more: {}", error.what()));
  }
}

/// The agent ends them, since only it can tell those who wait why; one that does not is ended with them.
void Supervisor::stop_processes(const LimitStop& what, std::function<void()> ended) {
  m_events.limit_reached(what);
  const auto patience = m_loop.after(k_stop_patience, [this, reason = what.reason] {
    if (!m_freezer) {
      end(reason);
    }
  });
  protocol::CallEvents events;
  events.on_result = [this, patience, ended = std::move(ended)](const Json&) {
    m_loop.cancel(patience);
    ended();
  };
  events.on_failure = [this, reason = what.reason](const Error&) {
    end(reason);
  };
  protocol::open_call(
      m_agent->session, std::string(protocol::path::k_processes_end),
      protocol::to_json(protocol::ProcessesEnd{what.code, what.reason}), std::move(events));
}

void Supervisor::arm_expiry() {
  m_loop.cancel(std::exchange(m_expiry, 0));
  if (m_spec.expires_at <= 0) {
    return;
  }
  const auto left =
      std::chrono::milliseconds(static_cast<std::int64_t>((m_spec.expires_at - os::now_epoch()) * 1000));
  // Looked at again every minute at the latest: the wall clock may jump, and timers run on the monotonic one.
  const auto wait = std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(60'000));
  m_expiry = m_loop.after(wait, [this] {
    m_expiry = 0;
    if (os::now_epoch() >= m_spec.expires_at) {
      end("expired");
    } else {
      arm_expiry();
    }
  });
}

/// Looks a few times within the idle time; whoever is connected, to us or to a port, is using the sandbox.
void Supervisor::watch_idleness() {
  m_loop.cancel(std::exchange(m_idleness, 0));
  if (m_spec.idle_ms <= 0) {
    return;
  }
  if (m_last_use.count() == 0 || m_clients.size() > m_port_watchers.size() || m_ports->has_connections()) {
    m_last_use = os::now_monotonic();
  }
  const auto left = m_last_use + std::chrono::milliseconds(m_spec.idle_ms) - os::now_monotonic();
  if (left.count() <= 0) {
    shut_down("idle", 10'000, [] {});
    return;
  }
  const auto pause = std::clamp(
      std::chrono::milliseconds(m_spec.idle_ms / 4), std::chrono::milliseconds(50),
      std::chrono::milliseconds(60'000));
  m_idleness = m_loop.after(std::min(left, pause), [this] {
    m_idleness = 0;
    watch_idleness();
  });
}

void Supervisor::end(const std::string& reason) {
  if (std::exchange(m_ended, true)) {
    return;
  }
  m_end_reason = reason;
  try {
    os::write_json_atomically(
        m_spec.runtime_dir + "/exit.json",
        {{"reason", reason}, {"at", os::now_epoch()}, {"supervisor_pid", ::getpid()}}, os::Durable::no);
  } catch (const Error&) {
    // A full disk: the next look finds the sandbox gone all the same, only without a reason.
  }
  if (m_is_up) {
    m_events.ended(reason, m_spec.idle_ms);
  }
  for (auto& [key, client] : m_clients) {
    client->pump->flush();
  }
  ::unlink((m_spec.runtime_dir + "/control.sock").c_str());
  m_guest->kill();
  m_loop.stop();
}

Json Supervisor::status() const {
  return {
      {"supervisor_pid", ::getpid()},
      {"sandbox_pid", m_guest->pid()},
      {"started_at", m_started_at},
      {"expires_at", m_spec.expires_at},
      {"notes", m_notes},
      {"disk", m_disk ? m_disk->status() : Json()},
      {"stopped", m_user_limits ? m_user_limits->stopped() : Json()},
      {"ports", m_ports ? m_ports->published() : Json::array()},
      {"timings", m_timings}};
}

} // namespace pyro::supervisor
