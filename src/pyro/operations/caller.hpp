// What a front with many calls at once talks to: operations by name, from any thread. The launcher is the one
// that is used (launcher/launcher.hpp); tests of a front bring their own.
#pragma once

#include "engine.hpp"

#include <chrono>

namespace pyro::operations {

struct CallSettings {
  std::string base;        // state directory; empty: the default (PYRO_HOME)
  bool trust_once = false; // this call may take from the machine what its file wants (PYRO_TRUST)
  std::chrono::milliseconds lock_timeout{60'000};
  std::string directory;      // where relative paths begin; empty: where the launcher was started
  bool stream_output = false; // Callbacks::stream_output
};

class Caller {
public:
  Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  virtual ~Caller() = default;

  /// One entry of the operation table. Blocks this thread; events and `interrupted` of the callbacks are
  /// called from it. Nobody is asked anything: what needs a yes fails with approval_needed.
  virtual Json call(
      std::string_view operation, const Json& parameters, const CallSettings& settings,
      const Callbacks& callbacks) = 0;
};

} // namespace pyro::operations
