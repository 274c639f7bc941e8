// All services: order of start and stop, changed definitions, and the calls under /services.
#pragma once

#include "service.hpp"

#include <pyro/protocol/call.hpp>

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace pyro::agent {

class ServiceManager {
public:
  explicit ServiceManager(Runtime& runtime);
  ~ServiceManager();

  /// Adds the operations to the router, which must not outlive this.
  void add_operations(protocol::Router& router);

  /// Every running service with a probe is not ready until the probe says so again.
  void prove_readiness();

  /// Every process of the sandbox has been killed from outside.
  void fail_killed(const std::string& reason);

  /// Stops everything, dependents first; `done` is called once nothing runs.
  void stop_all(std::chrono::milliseconds grace, std::function<void()> done);

private:
  using CallPointer = std::shared_ptr<protocol::Call>;

  struct Entry {
    std::unique_ptr<Service> service;
    bool by_hand = false; // not from apply()
    bool wants_start = false;
    bool stop_requested = false;
    bool stop_begun = false;
    bool start_after_stop = false;
    bool forget_after_stop = false;
    std::optional<protocol::ServiceDefinition> next_definition;
  };

  struct Waiter {
    CallPointer call;
    std::set<std::string> names;
  };

  struct StopWaiter {
    std::set<std::string> names;
    std::function<void()> done;
  };

  struct EndWaiter {
    CallPointer call;
    std::string name;
  };

  enum class Verdict { satisfied, pending, hopeless };

  void apply(const CallPointer& call, const Json& request);
  void define(const CallPointer& call, const Json& request);
  void ended(const CallPointer& call, const Json& request);
  void wait(const CallPointer& call, const Json& request);
  void stop(const CallPointer& call, const Json& request);
  void start(const CallPointer& call, const Json& request);
  void restart(const CallPointer& call, const Json& request);
  void logs(const CallPointer& call, const Json& request);
  void follow(const CallPointer& call, const Json& request);

  Entry& entry(const std::string& name);
  Entry& add_entry(const std::string& name);
  std::set<std::string> selected(const Json& request);
  std::set<std::string> with_dependents(std::set<std::string> names, bool only_restarting);
  void request_start(Entry& entry);
  void request_stop(Entry& entry);
  void request_restart(Entry& entry);
  void start_with_dependencies(const std::string& name, std::set<std::string>& seen);

  void changed(const std::string& name);
  void advance_later();
  void advance();
  bool advance_stop(const std::string& name, Entry& entry);
  bool advance_start(Entry& entry);
  /// On its way up: started, and neither ready nor over.
  static bool is_coming(const Entry& entry);
  Verdict verdict(const protocol::Dependency& dependency, const Entry& other) const;
  bool dependents_stopping(const std::string& name) const;
  void check_waiters();
  void check_end_waiters();
  bool is_decided(const Waiter& waiter, bool& ok) const;
  Json result_of(const std::set<std::string>& names, bool ok) const;
  std::set<std::string> all_names() const;

  Runtime& m_runtime;
  std::map<std::string, Entry> m_entries;
  std::list<Waiter> m_waiters;
  std::list<StopWaiter> m_stop_waiters;
  std::list<EndWaiter> m_end_waiters;
  std::set<CallPointer> m_followers;
  int m_parallel = 0; // services that may be on their way up at once; 0: any number
  std::chrono::milliseconds m_most_grace = std::chrono::hours(24);
  bool m_advance_posted = false;
  std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace pyro::agent
