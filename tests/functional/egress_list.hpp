// A workspace whose egress is a list, and the world that it may reach a part of.
#pragma once

#include "../support/home.hpp"
#include "../support/outside_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace pyro::testing {

class EgressList : public Functional {
protected:
  enum Place { k_http, k_tls, k_greet, k_echo, k_unlisted };

  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    world = std::make_unique<OutsideWorld>(
        root() / "world",
        Json{
            {"web.example", {"127.0.0.1"}},
            {"other.example", {"127.0.0.1"}},
            {"*.tree.example", {"127.0.0.1"}},
            {"metadata.example", {"169.254.169.254"}}},
        std::vector<OutsideWorld::Server>{{"http"}, {"tls"}, {"greet"}, {"echo"}, {"http"}});
    ::setenv("PYRO_NAME_SERVERS", world->name_server().c_str(), 1);
    fs::copy_file(world->certificate(), project() / "ca.pem");
  }

  void TearDown() override {
    Functional::TearDown();
    ::unsetenv("PYRO_NAME_SERVERS");
  }

  std::string at(const std::string& host, Place place) const {
    return fmt::format("{}:{}", host, world->port(place));
  }

  /// The rules that let the names of the world through: it lies on this machine, which has to be named.
  std::string rules(const std::vector<std::string>& hosts) const {
    std::string list;
    for (const auto& host : hosts) {
      list += fmt::format("\"{}\", ", host);
    }
    for (const auto place : {k_http, k_tls, k_greet, k_echo}) {
      list += fmt::format("\"{}\", ", at("127.0.0.1", place));
    }
    return "network: {egress: [" + list.substr(0, list.size() - 2) + "]}\n";
  }

  void up(const std::string& body) {
    spec(body);
    expect(0, {"apply", "--yes", "--trust"});
  }

  std::vector<Json> denied() { return list_of(json({"network", "log", "--denied"})); }

  static std::vector<Json> list_of(const Json& answer) {
    return value_at(answer, "records").get<std::vector<Json>>();
  }

  bool is_denied(const std::string& host, const std::string& protocol) {
    return eventually(
        [&] {
          const auto all = denied();
          return std::any_of(all.begin(), all.end(), [&](const Json& record) {
            return get_string(record, "host") == host && get_string(record, "protocol") == protocol;
          });
        },
        10);
  }

  std::unique_ptr<OutsideWorld> world;
};

} // namespace pyro::testing
