#include "agent_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/protocol/shell_requests.hpp>

#include <fstream>

namespace pyro::agent {
namespace {

namespace path = protocol::path;

class ShellTest : public AgentTest {
protected:
  protocol::ShellStatus open(std::vector<std::string> argv, const std::string& id = "s1") {
    protocol::ShellOpen request;
    request.shell_id = id;
    request.argv = std::move(argv);
    request.cwd = "/";
    return protocol::shell_status_from_json(ask(path::k_shells_open, to_json(request)));
  }

  void write(const std::string& data) {
    ask(path::k_shells_write, to_json(protocol::ShellWrite{"s1", data}));
  }

  std::shared_ptr<Reply> read(protocol::ShellRead request = {}) {
    request.shell_id = "s1";
    auto reply = call(path::k_shells_read, to_json(request));
    EXPECT_TRUE(run_until([&] { return reply->is_over(); }));
    return reply;
  }

  protocol::ShellStatus status() {
    auto all = protocol::shell_list_from_json(ask(path::k_shells_list, Json::object()));
    return all.empty() ? protocol::ShellStatus{} : all.front();
  }

  bool sees(const std::string& text) {
    return run_until([&] { return read()->out.find(text) != std::string::npos; });
  }
};

TEST_F(ShellTest, IsReadFromAnyPositionAgainAndAgain) {
  open({"/bin/sh", "-c", "stty -echo; echo ready; while read line; do echo \"<$line>\"; done"});
  ASSERT_TRUE(sees("ready"));
  write("one\n");
  ASSERT_TRUE(sees("<one>"));
  const auto end = status().end;
  write("two\n");
  ASSERT_TRUE(sees("<two>"));
  protocol::ShellRead later;
  later.cursor = end;
  EXPECT_EQ(read(later)->out, "<two>\r\n");
  EXPECT_EQ(read(later)->out, "<two>\r\n");
  later.max_bytes = 3;
  const auto part = read(later);
  EXPECT_EQ(part->out, "<tw");
  const auto result = protocol::shell_read_result_from_json(part->result.value());
  EXPECT_EQ(result.start, end);
  EXPECT_EQ(result.end, end + 7);
  EXPECT_TRUE(result.running);
}

TEST_F(ShellTest, WaitsUntilItIsQuiet) {
  open({"/bin/sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; sleep 60"});
  protocol::ShellRead patient;
  patient.idle_ms = 2000; // many times the pause between two lines
  EXPECT_EQ(read(patient)->out, "1\r\n2\r\n3\r\n4\r\n5\r\n");
  patient.idle_ms = 60'000;
  patient.limit_ms = 100;
  EXPECT_EQ(read(patient)->out, "1\r\n2\r\n3\r\n4\r\n5\r\n");
}

TEST_F(ShellTest, KeepsTheNewestOutputAndSaysSo) {
  open({"/bin/sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo END"});
  ASSERT_TRUE(run_until([&] { return !status().running; }));
  const auto last = status();
  EXPECT_EQ(last.end, 1'000'005U);
  EXPECT_EQ(last.end - last.first, protocol::k_shell_output);
  const auto reply = read();
  EXPECT_EQ(protocol::shell_read_result_from_json(reply->result.value()).start, last.first);
  EXPECT_EQ(reply->out.size(), 64U << 10);
  EXPECT_EQ(last.exit_code, 0);
}

TEST_F(ShellTest, InputThatIsNotReadIsRefusedInTheEnd) {
  open({"/bin/sh", "-c", "stty raw; echo ready; sleep 60"});
  ASSERT_TRUE(sees("ready"));
  const std::string much(100'000, 'x');
  try {
    for (int i = 0; i < 10; ++i) {
      write(much);
    }
    FAIL() << "a megabyte went into a terminal that nobody reads";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
}

TEST_F(ShellTest, SignalsReachWhatRunsInTheForeground) {
  open({"bash", "--norc", "-i"});
  write("bash -c 'echo beg''un; exec sleep 1000'\n");
  ASSERT_TRUE(sees("begun"));
  ask(path::k_shells_signal, {{"shell_id", "s1"}, {"signal", "INT"}});
  write("echo code=$?.\n");
  EXPECT_TRUE(sees("code=130."));
  EXPECT_TRUE(status().running);
  ask(path::k_shells_signal, {{"shell_id", "s1"}, {"signal", "KILL"}});
  ASSERT_TRUE(run_until([&] { return !status().running; }));
  EXPECT_EQ(status().exit_code, 137);
  EXPECT_THROW(write("x"), Error);
}

TEST_F(ShellTest, CloseEndsWhatRunsInIt) {
  open({"bash", "--norc", "-i"});
  write("trap '' HUP; sleep 1000 & echo pid=$!.\n");
  ASSERT_TRUE(sees("\npid="));
  ASSERT_TRUE(run_until([&] {
    const auto out = read()->out;
    const auto at = out.rfind("\npid=");
    return out.find('.', at) != std::string::npos;
  }));
  const auto out = read()->out;
  const auto pid = std::stoi(out.substr(out.rfind("\npid=") + 5));
  EXPECT_TRUE(is_running(pid));
  ask(path::k_shells_close, {{"shell_id", "s1"}});
  EXPECT_TRUE(run_until([&] { return !is_running(pid); }, milliseconds(1000)));
  EXPECT_THROW(read()->result.value(), std::bad_optional_access);
  EXPECT_EQ(status().shell_id, "");
}

TEST_F(ShellTest, IsResized) {
  const auto opened = open({"/bin/sh", "-c", "read a; stty size; sleep 60"});
  EXPECT_EQ(opened.size.cols, 120);
  EXPECT_EQ(opened.size.rows, 30);
  ask(path::k_shells_resize, {{"shell_id", "s1"}, {"cols", 77}, {"rows", 33}});
  write("\n");
  EXPECT_TRUE(sees("33 77"));
}

TEST_F(ShellTest, AnAttachedTerminalSeesAndTypesAndLeaves) {
  open({"/bin/sh", "-c", "stty -echo; echo ready; while read line; do echo \"<$line>\"; done; exit 3"});
  ASSERT_TRUE(sees("ready"));
  const auto first = call(path::k_shells_attach, to_json(protocol::ShellAttach{"s1", 1000, {}}));
  first->call->send(FrameType::data_in, "one\n");
  ASSERT_TRUE(run_until([&] { return first->out == "ready\r\n<one>\r\n"; })) << first->out;
  first->call->send(Json{{"detach", true}});
  ASSERT_TRUE(run_until([&] { return first->is_over(); }));
  EXPECT_EQ(first->result.value()["detached"], true);
  const auto second = call(path::k_shells_attach, to_json(protocol::ShellAttach{"s1", 0, {}}));
  second->call->send(FrameType::data_in, "two\n\x04");
  ASSERT_TRUE(run_until([&] { return second->is_over(); }));
  EXPECT_EQ(second->out, "<two>\r\n");
  EXPECT_EQ(second->result.value()["detached"], false);
  EXPECT_EQ(second->result.value()["status"]["exit_code"], 3);
}

TEST_F(ShellTest, AnAttachedTerminalLosesNothingWhileItReads) {
  open({"/bin/sh", "-c", "read a; seq 1 300000; sleep 60"});
  const auto reply = call(path::k_shells_attach, to_json(protocol::ShellAttach{"s1", 0, {}}));
  reply->call->send(FrameType::data_in, "go\n");
  ASSERT_TRUE(run_until([&] { return reply->out.ends_with("\n300000\r\n"); }, milliseconds(20000)));
  EXPECT_TRUE(reply->messages.empty()) << reply->messages[0].dump();
  EXPECT_EQ(reply->out.size(), 4U + 9 * 3 + 90 * 4 + 900 * 5 + 9000 * 6 + 90000 * 7 + 200001 * 8);
}

TEST_F(ShellTest, OneThatTakesNothingIsPassedBy) {
  open({"/bin/sh", "-c", "read a; seq 1 300000; sleep 60"});
  const auto reply = call(path::k_shells_attach, to_json(protocol::ShellAttach{"s1", 0, {}}));
  reply->reads = false;
  write("go\n");
  ASSERT_TRUE(run_until([&] { return status().end > 2'000'000U; }, milliseconds(20000)));
  reply->reads = true;
  reply->call->consume(reply->out.size());
  ASSERT_TRUE(run_until([&] { return reply->out.ends_with("\n300000\r\n"); }));
  ASSERT_FALSE(reply->messages.empty());
  EXPECT_GT(reply->messages[0]["dropped_bytes"].get<int>(), 100'000);
}

TEST_F(ShellTest, SaysWhyItCannotBeOpened) {
  EXPECT_THROW(open({"no-such-shell"}), Error);
  open({"sleep", "60"});
  EXPECT_THROW(open({"sleep", "60"}), Error); // the id is taken
  EXPECT_THROW(open({"sleep", "60"}, "../x"), Error);
}

TEST_F(ShellTest, ThereIsAnEndToHowManyThereAre) {
  open({"true"}, "ended");
  ASSERT_TRUE(run_until([&] { return !status().running; }));
  for (int i = 0; i < 32; ++i) {
    open({"sleep", "60"}, "s" + std::to_string(i)); // the last one takes the place of the ended
  }
  EXPECT_THROW(open({"sleep", "60"}, "one-more"), Error);
}

TEST_F(ShellTest, ShutdownDoesNotWaitForThem) {
  open({"bash", "--norc", "-i"});
  ask(path::k_shutdown, {{"grace_ms", 3'600'000}}); // fails where there is no answer soon
}

} // namespace
} // namespace pyro::agent
