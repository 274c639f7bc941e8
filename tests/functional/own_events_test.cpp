// What happens to a sandbox without anybody's asking is in the journal of events: once, with its reason,
// though no command of pyro runs meanwhile.
#include "flags.hpp"

#include <fmt/format.h>

#include <csignal>

namespace pyro::testing {
namespace {

class OwnEvents : public Flags {
public:
  /// "KIND ADDRESS CODE: TEXT" of what supervisors noted.
  std::vector<std::string> own_events() {
    std::vector<std::string> lines;
    const auto document = json({"events", "--tail", "1000"});
    for (const auto& event : document["events"]) {
      if (event["operation"] == "supervisor") {
        EXPECT_EQ(event["workspace"], "test") << event;
        EXPECT_FALSE(event["op_id"].get<std::string>().empty()) << event;
        lines.push_back(
            event["kind"].get<std::string>() + " " + event["address"].get<std::string>() + " "
            + event.value("code", "") + ": " + event["text"].get<std::string>());
      }
    }
    return lines;
  }

  std::size_t count(const std::string& beginning) {
    const auto lines = own_events();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const auto& line) { return line.rfind(beginning, 0) == 0; }));
  }

  bool is_told(const std::string& beginning) {
    return eventually([&] { return count(beginning) == 1; });
  }

  void kill_service() { EXPECT_EQ(inside("kill -9 $(cat /tmp/pid) && rm /tmp/pid").status, 0); }

  std::string seen() {
    std::string all;
    for (const auto& line : own_events()) {
      all += line + "\n";
    }
    return all;
  }
};

constexpr auto k_stays = "command: 'echo $$$$ > /tmp/pid; exec sleep 1000', readiness: {file: /tmp/pid}";

TEST_F(OwnEvents, AServiceIsRestartedIsReadyAgainAndFails) {
  file(fmt::format(
      "services: {{web: {{{}, restart: on-failure, max_restarts: 1}}, other: {{{}}}}}\n", k_stays,
      "command: sleep 1000, readiness: {exec: 'true'}"));
  expect(0, {"apply"});
  EXPECT_EQ(seen(), "") << "that was asked for";
  kill_service();
  EXPECT_TRUE(is_told("service_ready services.web : ready again, after restart 1")) << seen();
  kill_service();
  EXPECT_TRUE(is_told("service_failed services.web own: killed by SIGKILL, after 1 restarts")) << seen();
  EXPECT_EQ(count("service_restart services.web : killed by SIGKILL; restart 1 in "), 1U) << seen();
  expect(0, {"stop"});
  EXPECT_EQ(own_events().size(), 3U) << seen();
  EXPECT_TRUE(contains(
      expect(0, {"events"}).out,
      "supervisor test: services.web failed: killed by SIGKILL, after 1 restarts"));
}

TEST_F(OwnEvents, AServiceEnds) {
  file(fmt::format("services: {{web: {{{}}}}}\n", k_stays));
  expect(0, {"apply"});
  kill_service();
  EXPECT_TRUE(is_told("service_exited services.web own: killed by SIGKILL")) << seen();
}

TEST_F(OwnEvents, ATimeToLiveIsOverAndAFollowerSeesIt) {
  file("lifecycle: {ttl: 3s}\n");
  const auto following = at_a_terminal({"events", "--follow", "--tail", "0"});
  expect(0, {"apply"});
  EXPECT_TRUE(following->see("the sandbox ended: its time to live is over")) << following->seen();
  following->signal(SIGINT);
  EXPECT_EQ(following->status(), 130);
  EXPECT_EQ(json({"status"})["state"], "stopped");
  EXPECT_EQ(seen(), "sandbox_end lifecycle.ttl expired: its time to live is over\n");
}

TEST_F(OwnEvents, ItIsStoppedForNobodyUsesIt) {
  file("lifecycle: {idle: 1s}\n");
  expect(0, {"apply"});
  EXPECT_TRUE(is_told("sandbox_end lifecycle.idle idle: nobody used it for 1s")) << seen();
}

TEST_F(OwnEvents, AKilledSandboxIsToldOnceByItsSupervisorOrByWhoFindsIt) {
  file();
  expect(0, {"apply"});
  const auto pids = [&] {
    return json({"status"});
  };
  ASSERT_EQ(::kill(pids()["sandbox_pid"].get<int>(), SIGKILL), 0);
  EXPECT_TRUE(is_told("sandbox_end workspace died: the sandbox ended")) << seen();
  EXPECT_TRUE(eventually([&] { return pids()["state"] == "stopped"; })) << "its supervisor has ended, too";
  expect(0, {"start"});
  ASSERT_EQ(::kill(pids()["supervisor_pid"].get<int>(), SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return pids()["state"] == "stopped"; }));
  expect(0, {"status"});
  expect(0, {"start"});
  EXPECT_EQ(count("sandbox_end "), 2U) << seen();
  EXPECT_EQ(count("sandbox_end workspace died: the backing guest process "), 1U) << seen();
}

TEST_F(OwnEvents, WhatIsAskedForIsNoneOfThem) {
  file(fmt::format("services: {{web: {{{}}}}}\nsnapshots: {{ready: {{at: ready}}}}\n", k_stays));
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo x > changed").status, 0);
  expect(0, {"restart", "web"});
  expect(0, {"reset", "--yes"});
  expect(0, {"undo"});
  expect(0, {"stop"});
  expect(0, {"start"});
  expect(0, {"destroy", "--yes"});
  EXPECT_EQ(seen(), "");
}

} // namespace
} // namespace pyro::testing
