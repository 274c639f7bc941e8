// The process behind one started workspace: it holds the sandbox, its channel to the agent, the time to live
// and the control socket. Clients reach the agent through it. When it ends, however it ends, the sandbox ends
// too.
#pragma once

#include "disk_watch.hpp"
#include "network_use.hpp"
#include "own_events.hpp"
#include "secret_notes.hpp"
#include "user_limit_watch.hpp"

#include <pyro/backend/launch_spec.hpp>
#include <pyro/backend/shared/gateway.hpp>
#include <pyro/base/resource_use.hpp>
#include <pyro/events/journal.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>
#include <pyro/ports/port_forwarder.hpp>
#include <pyro/protocol/call.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace pyro::supervisor {

/// What the supervisor may do to the running sandbox, whatever its isolation is.
struct Guest {
  virtual ~Guest() = default;

  /// Byte stream to the agent; given away once.
  virtual os::Fd take_channel() = 0;
  /// A process on this machine whose end is the end of the sandbox.
  virtual int pid() const = 0;
  /// Stops every process at once from outside; false: ask the agent instead.
  virtual bool freeze() = 0;
  virtual void thaw() = 0;
  /// Kills everything inside.
  virtual void kill() = 0;

  /// How the process of pid() ended, waited for; after kill(). nullopt: it cannot be told.
  virtual std::optional<os::Outcome> outcome() { return std::nullopt; }

  /// Has its agent just answered, before its session? Then there is no need to greet it.
  virtual bool has_answered() const { return false; }

  /// What this machine's kernel counts for it; absent what nobody counts.
  virtual ResourceUse use() const { return {}; }

  /// Can its memory be kept?
  virtual bool can_save() const { return false; }

  /// Writes into `directory`, which exists, what a start on it goes on from (LaunchSpec::machine.saved). The
  /// guest waits for the host (protocol/guest_boot.hpp) and stands still meanwhile; it waits again after it.
  virtual void save(const std::string& directory) { std::ignore = directory; }

  /// Its way out where that is a list of hosts; nullptr: it is another, or none.
  virtual backend::Gateway* gateway() { return nullptr; }

  /// Whatever else of it has to be read while it runs.
  virtual void watch(os::EventLoop& loop) { std::ignore = loop; }
};

/// What the gateway says goes into a journal of its own, `network` in the runtime directory.
///
/// Operations on the control socket, beside "/agent/..." which is passed on to the agent:
/// "/status" → {supervisor_pid, sandbox_pid, started_at, expires_at, notes, disk: DiskWatch::status() or
/// null, stopped: UserLimitWatch::stopped(), ports: as "/ports" answers}; "/stop" {grace_ms} → {}; "/disk"
/// {limit_bytes} → {held}: another limit, at once; "/egress" {rules} → {}: another list, at once;
/// "/requests/secrets" {secrets} → {}: what its gateway puts into requests, noted as secrets are, and the
/// authority that is trusted inside for it;
/// "/resources" → ResourceUse: Guest::use().
/// "/network" {since} → what its gateway refused after that cursor, as NetworkUse::refused_since() tells it,
/// with all that has happened by now; "/network/hosts" → NetworkUse::counts(), of a second ago.
/// "/freeze" → keeps the sandbox frozen until the caller sends {"thaw": true} or is gone; "/lifetime"
/// {expires_at, idle_ms}.
/// "/ports/publish" {service, ports: [{guest_port, host_port}]} → {ports}: as long as that service has a
/// process.
/// "/ports/forward" {ports: the same} → frames {"ports"}, then {"refused": {port, reason}} for each
/// connection that cannot be carried; until the caller is gone.
/// "/ports/watch" → frames {"ports"}, as "/ports" takes them, with those of "/ports/publish": at once and
/// whenever they change, until the caller is gone. Who watches does not use the sandbox.
/// "/save" {directory} → {pause_ms}: keeps the guest with all its processes there. Nobody may be using the
/// sandbox.
/// "/ports" {ports: [{service, address, host_port, fixed, port}]} → {ports} with the host ports really
/// listened at. "/secrets/…": protocol/secret_notes.hpp; "/agent/secrets/put" is noted and passed on.
class Supervisor {
public:
  /// `ready`: called once the agent has answered; gets the document for the one who started us.
  Supervisor(
      backend::LaunchSpec spec, std::unique_ptr<Guest> guest, Json launch_timings,
      std::vector<std::string> notes, std::function<void(const Json& launched)> ready);
  ~Supervisor();

  /// Serves until the sandbox ends, is stopped, or its time is over. Writes runtime_dir/exit.json with the
  /// reason.
  void run();

  /// Why run() returned.
  const std::string& end_reason() const { return m_end_reason; }

private:
  struct Client;

  void connect_agent();
  void greet_agent();
  void follow_services();
  void announce();
  void listen();
  void accept_clients();
  void add_client(os::Fd socket);
  void drop_client(Client* client);
  void add_operations();
  void stop(const std::shared_ptr<protocol::Call>& call, std::int64_t grace_ms);
  void put_into_requests(const std::shared_ptr<protocol::Call>& call, const Json& request);
  void deliver_secret(const std::shared_ptr<protocol::Call>& call, const Json& request);
  void publish(const std::shared_ptr<protocol::Call>& call, const Json& request);
  void forward(const std::shared_ptr<protocol::Call>& call, const Json& request);
  void watch_ports(const std::shared_ptr<protocol::Call>& call);
  void freeze(const std::shared_ptr<protocol::Call>& call);
  void save(const std::shared_ptr<protocol::Call>& call, const std::string& directory);
  void watch_disk();
  void watch_user_limits();
  void watch_gateway();
  void read_gateway(backend::Gateway& gateway);
  void stop_processes(const LimitStop& what, std::function<void()> ended);
  void begin_agent_session();
  void thaw();
  void arm_expiry();
  void watch_idleness();
  /// Ends the sandbox, and then us; `ended` is called in between.
  void shut_down(const std::string& reason, std::int64_t grace_ms, std::function<void()> ended);
  void end(const std::string& reason);
  Json status() const;

  backend::LaunchSpec m_spec;
  std::unique_ptr<Guest> m_guest;
  Json m_timings;
  std::vector<std::string> m_notes;
  std::function<void(const Json&)> m_ready;
  double m_started_at;
  os::EventLoop m_loop;
  os::Fd m_listener;
  os::Fd m_channel; // to the agent
  protocol::Router m_router;
  struct AgentLink;
  std::unique_ptr<AgentLink> m_agent;
  std::unique_ptr<ports::PortForwarder> m_ports;
  std::set<std::shared_ptr<protocol::Call>> m_port_watchers;
  std::unique_ptr<DiskWatch> m_disk;             // where the sandbox writes to a file system of this machine
  std::unique_ptr<UserLimitWatch> m_user_limits; // where the sandbox is not a user of its own
  std::optional<events::Journal> m_network;      // what its gateway says, where the egress is a list
  NetworkUse m_network_use;
  SecretNotes m_secrets;
  OwnEvents m_events;
  std::shared_ptr<protocol::Call> m_services; // followed, for m_events
  std::map<Client*, std::unique_ptr<Client>> m_clients;
  os::EventLoop::TimerId m_expiry = 0;
  os::EventLoop::TimerId m_idleness = 0;
  std::chrono::milliseconds m_last_use{0}; // monotonic
  os::EventLoop::TimerId m_rest = 0;       // until memory is given back
  std::shared_ptr<protocol::Call> m_freezer;
  bool m_frozen_by_agent = false;
  bool m_is_up = false;
  bool m_ended = false;
  std::string m_leaving; // why it was asked to end; what is heard of its end may come before the answer
  std::string m_end_reason;
};

} // namespace pyro::supervisor
