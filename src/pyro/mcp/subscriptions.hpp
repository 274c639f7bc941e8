// Who wants to know when a resource changes. Each resource that somebody listens to is read again now and
// then, as its readers read it: more often where that costs little, and at once after a call of ours. So a
// notice says what a reader will see, whoever changed it and wherever it lies.
#pragma once

#include "calls.hpp"
#include "resources.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pyro::mcp {

/// All are called by the watcher's thread, and none after `end`.
struct Subscriber {
  const void* owner = nullptr; // whose it is: the client's `Requests`
  std::set<std::string> uris;
  std::function<bool()> is_gone;
  /// What is there now is known: changes from here on are told. Called once.
  std::function<void()> begin;
  std::function<void(const std::string& uri)> changed;
  /// The last call; `is_gone` or the end of the server.
  std::function<void()> end = [] {
  };
};

class Subscriptions {
public:
  Subscriptions(Calls& calls, std::string project_path);
  /// No subscriber hears anything more.
  ~Subscriptions();
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;

  /// Throws Error(unavailable) where there are too many, of this owner or of all.
  void add(Subscriber subscriber);
  void remove(const void* owner, const std::string& uri);
  /// Something was done: whatever is listened to may be different.
  void look_now();
  /// Ends all; false: somebody still does not take what is told after so long.
  bool end(std::chrono::milliseconds patience);

private:
  using Clock = std::chrono::steady_clock;
  using Actions = std::vector<std::function<void()>>;

  /// A resource and what it was when it was last read.
  struct Watched {
    ResourceRead read;
    std::optional<std::string> digest;
    std::shared_ptr<Call> reading;
    Clock::time_point began;
    Clock::time_point due;
    bool again = false; // something was done since the reading began
  };

  struct Listening {
    Subscriber who;
    bool has_begun = false;
  };

  void run();
  void drop_gone(Actions& actions);
  void forget_unheard();
  bool read_all(Actions& actions);
  void take(const std::string& uri, Watched& watched, const CallOutcome& outcome, Actions& actions);
  void begin_complete(Actions& actions);
  Clock::time_point next_look() const;

  Calls& m_calls;
  const std::string m_project_path;
  std::mutex m_mutex; // for all below
  std::condition_variable m_changed;
  bool m_is_over = false;
  bool m_is_running = false; // the watcher
  std::map<std::string, Watched> m_watched;
  std::vector<Listening> m_listening;
  std::thread m_watcher;
};

} // namespace pyro::mcp
