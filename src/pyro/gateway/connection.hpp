// One TCP connection of the workspace: decided on, checked by its first bytes, connected and carried.
#pragma once

#include "asked.hpp"
#include "first_bytes.hpp"
#include "opened_tls.hpp"
#include "pump.hpp"
#include "refused_client.hpp"

#include <pyro/os/fd.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::gateway {

class Connection {
public:
  /// Called once with itself, when it can be destroyed; not before the constructor's end.
  using Done = std::function<void(Connection*)>;

  Connection(Common& common, os::Fd client, Asked asked, Done done);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Does the policy still allow it? One that it does not ends.
  void check_policy();

private:
  const egress::Rule* rule() const;
  std::string host_text() const;
  void on_resolved(const Resolved& resolved);
  void connect_next();
  void on_server(std::uint32_t events);
  void on_connected();
  void step();
  void read_first_bytes();
  void carry();
  void carry_up();
  void carry_down();
  void open_tls();
  void carry_opened();
  bool send_to_server();
  void pass_requests();
  void look_for_upgrade();
  void run_pump(
      std::optional<Pump>& pump, const os::Fd& from, const os::Fd& to, bool& is_finished,
      std::uint64_t& moved);
  void log(Verdict verdict, const std::string& reason, const std::string& allow = {});
  void
  log_as(const char* protocol, Verdict verdict, const std::string& reason, const std::string& allow = {});
  void log_opened(OpenedTls::Event event, const std::string& text);
  void refuse(RefusalKind kind, const std::string& reason, const std::string& allow = {});
  void tell_refused();
  void arm(std::chrono::milliseconds limit, std::function<void()> over);
  void again();
  void reset_client();
  void end();
  template <typename Work>
  void guarded(Work work);

  Common& m_common;
  os::Fd m_client;
  Asked m_asked;
  Done m_done;
  os::EventLoop::TimerId m_timer = 0;
  bool m_is_ended = false;
  bool m_is_posted = false;

  // The server.
  std::vector<Destination> m_addresses; // still to be tried
  std::optional<Destination> m_address; // that is tried or connected
  std::string m_trouble;                // of the last that was tried
  os::Fd m_server;
  bool m_is_connected = false;

  // What the client says.
  FirstBytes m_first;
  bool m_has_passed = false; // judged, and allowed
  bool m_is_client_at_end = false;
  std::unique_ptr<HttpRequests> m_requests; // where each of them is judged

  // What is carried.
  std::shared_ptr<Traffic::Bytes> m_bytes;
  std::string m_to_server; // judged, not yet sent
  std::optional<Pump> m_up;
  std::optional<Pump> m_down;
  bool m_is_up_finished = false;
  bool m_is_down_finished = false;

  bool m_opens = false;
  std::unique_ptr<OpenedTls> m_opened; // instead of the pumps, where a secret is for the host
  bool m_is_lingering = false;

  std::optional<RefusedClient> m_refused;

  std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace pyro::gateway
