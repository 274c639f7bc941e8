// Services of a workspace, as the tests of several rows use them.
#pragma once

#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace pyro::contract {

/// A workspace with services.
class Services {
public:
  explicit Services(Contract& test) : m_test(test), id(test.create_id()) {}

  Json with(const std::string& name, Json more = Json::object()) const {
    more["workspace_id"] = id;
    more["service_name"] = name;
    return more;
  }

  Json start(const std::string& name, const std::string& command, Json more = Json::object()) const {
    more["command"] = command;
    more.emplace("ready_interval_ms", 50);
    return m_test.call("service_start", with(name, std::move(more)));
  }

  Json status(const std::string& name) const { return m_test.call("service_status", with(name)); }

  Json stop(const std::string& name) const { return m_test.call("service_stop", with(name)); }

  Json list() const { return m_test.call("service_list", {{"workspace_id", id}}); }

  /// A process that was killed may be seen for a moment still.
  bool nobody_sleeps() const {
    for (int i = 0; i < 100; ++i) {
      if (m_test.exec(id, "pidof sleep")["exit_code"] == 1) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  /// Until the service is in that state; then its status.
  Json becomes(const std::string& name, const std::string& state) const {
    Json now;
    for (int i = 0; i < 200; ++i) {
      now = status(name);
      if (now["state"] == state) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(now["state"], state) << now.dump(2);
    return now;
  }

private:
  Contract& m_test;

public:
  std::string id;
};

/// Says hello to whoever connects, at port 4711.
inline constexpr const char* k_greeter = "nc -ll -p 4711 -e echo hello";
inline const Json k_greeter_ready{{"type", "tcp"}, {"address", "127.0.0.1:4711"}};

} // namespace pyro::contract
