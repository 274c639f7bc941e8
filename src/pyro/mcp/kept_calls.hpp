// Calls that were answered with a handle, as files: what they ended with is there for an hour, for whichever
// server is asked. A server that is killed loses the call but not that it was lost.
#pragma once

#include "call_outcome.hpp"

#include <pyro/os/file_lock.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace pyro::mcp {

struct KeptCall {
  std::string operation;
  double began = 0; // seconds since the epoch
  double ended = 0;
  CallOutcome outcome;
};

class KeptCalls {
public:
  /// `directory` makes the directory and names it, at the first call that is kept; it may throw Error.
  explicit KeptCalls(std::function<std::string()> directory);

  /// The call runs, as long as we live. What cannot be written is not kept beyond us.
  void begin(const std::string& id, const std::string& operation, double began);
  /// Nothing where it did not begin, or has ended.
  void end(const std::string& id, const CallOutcome& outcome);

  /// nullopt: there is none of that id. Of one that was lost with its server the outcome says so;
  /// Error(bad_state) for one that runs in another server.
  std::optional<KeptCall> find(const std::string& id) const;

private:
  struct Running {
    std::string operation;
    double began;
    os::ExclusiveLock lock;
  };

  std::string path(const std::string& id, const char* suffix) const;
  void remove_old() const;

  std::function<std::string()> m_make_directory;
  mutable std::mutex m_mutex; // for all below
  mutable std::string m_directory;
  std::map<std::string, Running> m_running;
};

} // namespace pyro::mcp
