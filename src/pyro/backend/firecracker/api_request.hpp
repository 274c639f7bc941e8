// One call of Firecracker's API as a value: made without a socket, compared in tests, sent by api_client.hpp.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::backend::firecracker {

struct ApiRequest {
  std::string method;
  std::string path;
  Json body; // null: none

  bool operator==(const ApiRequest&) const = default;
};

/// "PUT /boot-source"
inline std::string to_string(const ApiRequest& request) {
  return request.method + " " + request.path;
}

} // namespace pyro::backend::firecracker
