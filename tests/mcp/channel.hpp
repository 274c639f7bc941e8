// How messages go to the server and come back: stdio_channel.cpp, http_channel.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <optional>
#include <string_view>

namespace pyro::testing {

class Channel {
public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  virtual void send(const Json& message) = 0;
  /// nullopt: nothing comes within minutes.
  virtual std::optional<Json> receive() = 0;
  /// Ends the server as its user would; its exit status.
  virtual int close() = 0;
  virtual os::Child& process() = 0;
};

} // namespace pyro::testing
