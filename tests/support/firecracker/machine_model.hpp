// What a Firecracker process does with a call that is well formed: its states, what is allowed in which, the
// files and devices that it opens, what it answers. It has no virtual cpu; the guest is an ordinary process
// (guest_process.hpp).
#pragma once

#include "api_description.hpp"
#include "guest_process.hpp"

#include <pyro/os/fd.hpp>

#include <map>
#include <optional>
#include <string>

namespace pyro::testing::firecracker {

struct HttpAnswer {
  int status = 204;
  Json body; // null: none
};

class MachineModel {
public:
  explicit MachineModel(std::string id);

  /// Everything from "is there such a call" to its effect. Never throws for what the caller sends.
  HttpAnswer handle(const std::string& method, const std::string& path, const std::string& body);

  GuestProcess& guest() { return m_guest; }

  /// The call asked for the end of the process (a snapshot that cannot be loaded, a shutdown).
  bool is_over() const { return m_over; }

private:
  enum class State { not_started, running, paused };

  Json perform(const Operation& operation, const Json& body);
  void configure_drive(const Operation& operation, const Json& body);
  void configure_network(const Operation& operation, const Json& body);
  void act(const std::string& type);
  void start();
  void change_state(const std::string& wanted);
  void save(const Json& files);
  void load(const Json& request);
  void open_tap(const std::string& name, const std::string& interface_id);
  const char* state_name() const;

  std::string m_id;
  State m_state = State::not_started;
  bool m_configured = false; // for a boot: no snapshot may be loaded then
  bool m_over = false;
  Json m_config = Json::object(); // as GET /vm/config gives it
  std::map<std::string, os::Fd> m_taps;
  GuestProcess m_guest;
};

/// When a call is allowed.
enum class Phase { before_start, after_start, always };
/// nullopt: a call of the description that nobody has thought about here.
std::optional<Phase> phase_of(const std::string& operation_id);

} // namespace pyro::testing::firecracker
