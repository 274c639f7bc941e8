#include <pyro/os/directory.hpp>
#include <pyro/supervisor/own_events.hpp>

#include <gtest/gtest.h>

namespace pyro::supervisor::test {

namespace {

using enum protocol::ServiceState;

class OwnEventsTest : public ::testing::Test {
protected:
  backend::LaunchSpec spec() const {
    backend::LaunchSpec spec;
    spec.workspace_id = "w1";
    spec.workspace_name = "shop";
    spec.events_dir = m_directory.path() + "/events";
    return spec;
  }

  static Json frame(
      protocol::ServiceState state, int restarts, const std::string& reason = {},
      const std::string& name = "web") {
    protocol::ServiceStatus status;
    status.name = name;
    status.state = state;
    status.restarts = restarts;
    status.reason = reason;
    return {{"service", to_json(status)}};
  }

  void sees(protocol::ServiceState state, int restarts, const std::string& reason = {}) {
    events.services(frame(state, restarts, reason), [] {
      return Redactor(NamedValues{{"token", "hunter2"}});
    });
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& event : events::Journal(m_directory.path() + "/events").read("", 1000, "shop").events) {
      lines.push_back(
          get_string(event, "kind") + " " + get_string(event, "address") + " " + get_string(event, "text"));
    }
    return lines;
  }

  using Lines = std::vector<std::string>;

private:
  os::TempDir m_directory{"/tmp", "pyro-own-events"};

protected:
  OwnEvents events{spec()};
};

TEST_F(OwnEventsTest, AStartIsNoneAndARestartIsOneUntilItIsReady) {
  for (const auto state : {waiting, starting, running, ready}) {
    sees(state, 0);
  }
  EXPECT_EQ(lines(), Lines());
  sees(starting, 1, "it said hunter2; restart 1 in 100 ms");
  sees(starting, 1);
  sees(running, 1);
  sees(ready, 1);
  sees(ready, 1);
  const Lines wanted{
      "service_restart services.web it said [redacted:token]; restart 1 in 100 ms",
      "service_ready services.web ready again, after restart 1"};
  EXPECT_EQ(lines(), wanted);
  sees(stopped, 1);
  sees(starting, 0); // asked for
  sees(ready, 0);
  EXPECT_EQ(lines(), wanted);
  sees(failed, 0, "exit code 1");
  sees(failed, 0, "exit code 1");
  EXPECT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines().back(), "service_failed services.web exit code 1");
}

TEST_F(OwnEventsTest, WhatIsFoundWhenItBeginsToFollowHasNotHappened) {
  events.services(
      {{"services", {frame(ready, 3).at("service"), frame(failed, 0, "old", "db").at("service")}}}, {});
  sees(ready, 3);
  EXPECT_EQ(lines(), Lines());
  sees(exited, 3, "exit code 0");
  EXPECT_EQ(lines(), Lines{"service_exited services.web exit code 0"});
}

TEST_F(OwnEventsTest, EndsOfTheSandboxAndLimitsSayWhereTheyAreWritten) {
  events.ended("stopped", 0); // asked for
  events.ended("idle", 90'000);
  events.ended("the sandbox ended", 0);
  events.limit_reached({"disk_limit", "the limit is reached"});
  EXPECT_EQ(
      lines(),
      (Lines{
          "sandbox_end lifecycle.idle nobody used it for 90s", "sandbox_end workspace the sandbox ended",
          "limit_reached environment.resources.disk the limit is reached"}));
}

TEST_F(OwnEventsTest, ASandboxThatSaysMuchDoesNotPushTheOthersOut) {
  for (int i = 1; i < 5000; ++i) {
    sees(starting, i, std::string(1000, 'x'));
  }
  EXPECT_LT(lines().size(), 200U);
  EXPECT_GE(lines().size(), 100U);
  EXPECT_THROW(events.services(Json::array(), {}), std::exception);
  EXPECT_THROW(events.services({{"service", 7}}, {}), std::exception);
}

TEST_F(OwnEventsTest, OfASandboxThatIsToLeaveNoTraceNothingIsWritten) {
  auto silent = spec();
  silent.events_dir = "";
  OwnEvents(silent).ended("expired", 0);
  EXPECT_EQ(lines(), Lines());
}

} // namespace

} // namespace pyro::supervisor::test
