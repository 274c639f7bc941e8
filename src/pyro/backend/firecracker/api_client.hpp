// Sends calls to a Firecracker process. Its answers are short and come from a process that a guest may have
// taken over: bounded in size and time.
#pragma once

#include "api_request.hpp"

#include <pyro/http/unix_http_client.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace pyro::backend::firecracker {

enum class MachineState { not_started, running, paused };

class ApiClient {
public:
  explicit ApiClient(
      std::string socket_path, std::chrono::milliseconds call_limit = std::chrono::seconds(10));

  /// Waits until Firecracker listens. `still_there` is asked in between and may throw, as when the process
  /// has ended.
  void await(std::chrono::milliseconds limit, const std::function<void()>& still_there = {}) const;

  /// The answer's body; null where there is none. Throws Error(failed) with the call and Firecracker's own
  /// message (fault_message), or what UnixHttpClient throws.
  Json send(const ApiRequest& request) const;
  /// One after the other; ends at the first that fails.
  void send_all(const std::vector<ApiRequest>& requests) const;

  MachineState state() const;
  /// "1.17.0"
  std::string version() const;

private:
  http::UnixHttpClient m_http;
};

} // namespace pyro::backend::firecracker
