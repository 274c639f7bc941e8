#include "agent_fixture.hpp"

#include <pyro/base/error.hpp>

#include <fstream>

namespace pyro::agent {
namespace {

TEST_F(AgentTest, SaysHello) {
  auto hello = protocol::hello_from_json(ask(protocol::path::k_hello, Json::object()));
  EXPECT_EQ(hello.pid, m_agent.pid());
  EXPECT_EQ(hello.boot_epoch.size(), 32U);
  EXPECT_NE(
      std::find(hello.protocol_features.begin(), hello.protocol_features.end(), "exec"),
      hello.protocol_features.end());
}

TEST_F(AgentTest, RunsAProgramAndKeepsItsStreamsApart) {
  auto reply = exec(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(reply->out, "out\n");
  EXPECT_EQ(reply->err, "err\n");
  EXPECT_EQ(reply->exec().exit_code, 7);
  EXPECT_FALSE(reply->exec().timed_out);
  ASSERT_EQ(reply->messages.size(), 1U);
  EXPECT_GT(reply->messages[0]["started"]["pid"].get<int>(), 1);
}

TEST_F(AgentTest, GivesTheEnvironmentAndNothingElse) {
  auto reply = exec({{"argv", {"env"}}, {"env", {{"A", "b=c"}, {"LANG", "de"}}}, {"cwd", "/tmp"}});
  EXPECT_NE(reply->out.find("A=b=c\n"), std::string::npos);
  EXPECT_NE(reply->out.find("LANG=de\n"), std::string::npos);
  EXPECT_NE(reply->out.find("PATH=/usr/local/sbin:"), std::string::npos);
  EXPECT_NE(reply->out.find("PWD=/tmp\n"), std::string::npos);
  EXPECT_EQ(reply->out.find("TERM="), std::string::npos);
}

TEST_F(AgentTest, LeaksNoDescriptor) {
  auto reply = exec({{"argv", {"ls", "/proc/self/fd"}}});
  EXPECT_EQ(reply->out, "0\n1\n2\n3\n"); // 3 is the directory itself
}

TEST_F(AgentTest, ResetsSignalsForTheChild) {
  auto reply = exec(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  EXPECT_EQ(reply->out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(AgentTest, SaysWhyAProgramCannotStart) {
  auto missing = exec({{"argv", {"no-such-program"}}})->exec();
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_NE(missing.stderr_note.find("no-such-program"), std::string::npos);
  auto no_exec = exec({{"argv", {"/etc/passwd"}}})->exec();
  EXPECT_EQ(no_exec.exit_code, 126);
  EXPECT_NE(no_exec.stderr_note.find("cannot be executed"), std::string::npos);
  auto no_user = exec({{"argv", {"true"}}, {"user", "nobody-knows"}})->exec();
  EXPECT_EQ(no_user.exit_code, 126);
  EXPECT_NE(no_user.stderr_note.find("nobody-knows"), std::string::npos);
  auto no_directory = exec({{"argv", {"true"}}, {"cwd", "/not/there"}})->exec();
  EXPECT_EQ(no_directory.exit_code, 126);
  EXPECT_NE(no_directory.stderr_note.find("/not/there"), std::string::npos);
  auto no_group = exec({{"argv", {"true"}}, {"user", "0:no-such-group"}})->exec();
  EXPECT_EQ(no_group.exit_code, 126);
}

TEST_F(AgentTest, RefusesNonsenseWithAnError) {
  auto reply = start_exec({{"argv", Json::array()}});
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  ASSERT_TRUE(reply->error);
  EXPECT_EQ(reply->error->code(), ErrorCode::invalid_argument);
}

TEST_F(AgentTest, RunsAsAnotherUserWithoutPrivileges) {
  if (::geteuid() != 0) {
    exec(shell("true")); // an agent that is not yet up when its channel closes reports just that
    GTEST_SKIP() << "needs root";
  }
  auto reply = exec(shell("id -u; id -g; id -G; grep CapEff /proc/self/status", {{"user", "1234:4321"}}));
  EXPECT_EQ(reply->err, "");
  EXPECT_EQ(reply->out, "1234\n4321\n4321\nCapEff:\t0000000000000000\n") << reply->result.value_or(nullptr);
  auto named = exec(shell("id -un; echo $USER $HOME", {{"user", "daemon"}}));
  EXPECT_EQ(named->out, "daemon\ndaemon /usr/sbin\n");
}

TEST_F(AgentTest, EchoesTenMegabytes) {
  constexpr std::size_t k_total = 10 << 20;
  auto reply = start_exec({{"argv", {"cat"}}, {"stdin", true}});
  std::string sent;
  for (std::size_t i = 0; sent.size() < k_total; ++i) {
    sent += std::to_string(i) + " ";
  }
  std::size_t given = 0;
  auto finished = run_until(
      [&] {
        while (given < sent.size() && !reply->call->is_full()) {
          auto piece = std::string_view(sent).substr(given, 50000);
          reply->call->send(FrameType::data_in, piece);
          given += piece.size();
          if (given == sent.size()) {
            reply->call->end_in();
          }
        }
        return reply->is_over();
      },
      milliseconds(20000));
  ASSERT_TRUE(finished);
  EXPECT_TRUE(reply->out == sent) << reply->out.size() << " of " << sent.size() << " bytes";
  EXPECT_EQ(reply->exec().exit_code, 0);
}

TEST_F(AgentTest, InputNobodyReadsIsThrownAway) {
  auto reply = start_exec(shell("exec <&-; sleep 0.3; echo done", {{"stdin", true}}));
  std::size_t given = 0;
  ASSERT_TRUE(run_until([&] {
    while (given < (2 << 20) && !reply->call->is_full()) {
      reply->call->send(FrameType::data_in, std::string(50000, 'x'));
      given += 50000;
    }
    return reply->is_over();
  }));
  EXPECT_EQ(reply->out, "done\n");
}

TEST_F(AgentTest, ASlowReaderHoldsUpNobody) {
  auto slow = start_exec(shell("head -c 30000000 /dev/zero; echo finished >&2"));
  slow->reads = false;
  ASSERT_TRUE(run_until([&] { return slow->out.size() > protocol::k_stream_window / 2; }));
  auto quick = exec(shell("head -c 5000000 /dev/zero | tr '\\0' q"));
  EXPECT_EQ(quick->out.size(), 5000000U);
  EXPECT_LE(slow->out.size(), protocol::k_stream_window);
  EXPECT_FALSE(slow->is_over());
  auto before = slow->out.size();
  slow->reads = true;
  slow->call->consume(before);
  ASSERT_TRUE(run_until([&] { return slow->is_over(); }, milliseconds(20000)));
  EXPECT_EQ(slow->out.size(), 30000000U);
  EXPECT_EQ(slow->err, "finished\n");
}

TEST_F(AgentTest, BackgroundProcessesDoNotHoldTheAnswer) {
  auto reply = exec(shell("sleep 30 & echo $!"), milliseconds(2000));
  EXPECT_EQ(reply->exec().exit_code, 0);
  EXPECT_TRUE(is_running(std::stoi(reply->out)));
}

TEST_F(AgentTest, ReportsSignals) {
  auto reply = start_exec(shell("kill -KILL $$"));
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  EXPECT_EQ(reply->exec().exit_code, 137);
  EXPECT_EQ(reply->exec().signal, 9);
}

TEST_F(AgentTest, PassesSignalsOn) {
  auto reply = start_exec(shell("trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(run_until([&] { return reply->out == "ready\n"; }));
  reply->call->send(Json{{"signal", "USR1"}});
  // sleep is in the group too and dies of USR1: that is what "the whole group" means.
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  EXPECT_EQ(reply->out, "ready\ngot\n");
  EXPECT_EQ(reply->exec().exit_code, 3);
}

TEST_F(AgentTest, TimeoutKillsTheWholeTree) {
  auto reply = exec(shell(
      "sleep 60 & echo $!; setsid sleep 61 & echo $!; (setsid sh -c 'echo $$; sleep 62 & echo $!; wait') & "
      "sleep 63",
      {{"timeout_ms", 700}}));
  EXPECT_EQ(reply->exec().exit_code, 124);
  EXPECT_TRUE(reply->exec().timed_out);
  std::istringstream pids(reply->out);
  int count = 0;
  for (int pid = 0; pids >> pid; ++count) {
    EXPECT_TRUE(run_until([&] { return !is_running(pid); }, milliseconds(1000))) << pid << " still runs";
  }
  EXPECT_EQ(count, 4);
}

TEST_F(AgentTest, CancelEndsTheGroupEvenIfItDoesNotListen) {
  auto polite = start_exec(shell("echo $$; sleep 60"));
  auto deaf = start_exec(shell("trap '' TERM; echo $$; while :; do sleep 1; done"));
  ASSERT_TRUE(run_until([&] { return !polite->out.empty() && !deaf->out.empty(); }));
  polite->call->cancel();
  deaf->call->cancel();
  EXPECT_TRUE(run_until([&] { return !is_running(std::stoi(polite->out)); }, milliseconds(1000)));
  EXPECT_TRUE(is_running(std::stoi(deaf->out)));
  EXPECT_TRUE(run_until([&] { return !is_running(std::stoi(deaf->out)); }, milliseconds(4000)));
}

TEST_F(AgentTest, TerminalHasASizeAndCanBeResized) {
  auto reply = start_exec(shell(
      "tty; stty size; read line; stty size; echo \"[$line] $TERM\"",
      {{"pty", {{"cols", 100}, {"rows", 40}}}}));
  ASSERT_TRUE(run_until([&] { return reply->out.find("40 100") != std::string::npos; })) << reply->out;
  reply->call->send(Json{{"resize", {{"cols", 77}, {"rows", 33}}}});
  reply->call->send(FrameType::data_in, "hello\n");
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  EXPECT_NE(reply->out.find("/dev/pts/"), std::string::npos) << reply->out;
  EXPECT_NE(reply->out.find("33 77"), std::string::npos) << reply->out;
  EXPECT_NE(reply->out.find("[hello] xterm-256color"), std::string::npos) << reply->out;
  EXPECT_EQ(reply->err, "");
  EXPECT_EQ(reply->exec().exit_code, 0);
}

TEST_F(AgentTest, TerminalEndsWithControlDAndWithCancel) {
  Json request{{"argv", {"cat"}}, {"pty", {{"cols", 80}, {"rows", 24}}}};
  auto ended = start_exec(request);
  ended->call->send(FrameType::data_in, "x\n");
  ASSERT_TRUE(run_until([&] { return ended->out.find("x\r\nx\r\n") != std::string::npos; })) << ended->out;
  ended->call->end_in();
  ASSERT_TRUE(run_until([&] { return ended->is_over(); }));
  EXPECT_EQ(ended->exec().exit_code, 0);

  auto shell_in_terminal =
      start_exec({{"argv", {"bash", "--norc", "-i"}}, {"pty", {{"cols", 80}, {"rows", 24}}}});
  shell_in_terminal->call->send(FrameType::data_in, "sleep 60 & echo pid=$!.\n");
  auto& out = shell_in_terminal->out;
  auto position = std::string::npos;
  ASSERT_TRUE(run_until([&] {
    position = out.find("\npid=");
    return position != std::string::npos && out.find('.', position) != std::string::npos;
  })) << out;
  auto pid = std::stoi(out.substr(position + 5));
  EXPECT_TRUE(is_running(pid));
  shell_in_terminal->call->cancel();
  EXPECT_TRUE(run_until([&] { return !is_running(pid); }, milliseconds(4000)));
}

// As cat does at its end; the terminal must not go away (with SIGHUP) before its process has.
TEST_F(AgentTest, WhoClosesItsTerminalMayStillFinish) {
  const Json terminal{{"pty", {{"cols", 80}, {"rows", 24}}}};
  auto closed = exec(shell("echo out; exec <&- >&- 2>&-; sleep 0.3; exit 7", terminal));
  EXPECT_EQ(closed->out, "out\r\n");
  EXPECT_EQ(closed->exec().exit_code, 7);
  auto reopened = exec(shell("exec <&- >&- 2>&-; sleep 0.3; echo again > /dev/tty; exit 8", terminal));
  EXPECT_EQ(reopened->out, "again\r\n");
  EXPECT_EQ(reopened->exec().exit_code, 8);
}

TEST_F(AgentTest, FreezesAndThaws) {
  auto counter = m_directory + "/counter";
  auto reply = start_exec(shell("echo $$; while :; do echo x >> " + counter + "; sleep 0.01; done"));
  auto asleep = start_exec(shell("echo $$; kill -STOP $$; sleep 60"));
  ASSERT_TRUE(run_until([&] { return !asleep->out.empty() && std::filesystem::exists(counter); }));
  const auto state_of_asleep = [&] {
    const auto stat = os::read_file("/proc/" + asleep->out.substr(0, asleep->out.size() - 1) + "/stat");
    return stat[stat.rfind(')') + 2];
  };
  ASSERT_TRUE(run_until([&] { return state_of_asleep() == 'T'; }));
  auto frozen = ask(protocol::path::k_freeze, Json::object());
  EXPECT_GE(frozen["frozen"].get<int>(), 1);
  auto size = std::filesystem::file_size(counter);
  run_for(milliseconds(150));
  EXPECT_EQ(std::filesystem::file_size(counter), size);
  EXPECT_EQ(ask(protocol::path::k_thaw, Json::object())["thawed"], frozen["frozen"]);
  EXPECT_TRUE(run_until([&] { return std::filesystem::file_size(counter) > size; }));
  EXPECT_EQ(state_of_asleep(), 'T') << "who was stopped before stays stopped";
}

TEST_F(AgentTest, PutsSecretsIntoMemoryOnly) {
  protocol::SecretPut secret{"db-password", std::string("p\0w", 3), "", ""};
  auto path = get_string(ask(protocol::path::k_secrets_put, to_json(secret)), "path");
  EXPECT_EQ(os::read_file(path), secret.value);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_read);
  secret.value = "second";
  ask(protocol::path::k_secrets_put, to_json(secret));
  EXPECT_EQ(os::read_file(path), "second");
  EXPECT_THROW(ask(protocol::path::k_secrets_put, {{"name", "../x"}, {"value", ""}}), Error);
}

TEST_F(AgentTest, ForwardsTcp) {
  auto server = start_exec({{"argv", {"python3", "-u", "-c", R"(
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])
c, _ = s.accept()
data = b""
while True:
    piece = c.recv(65536)
    if not piece: break
    data += piece
c.sendall(data.upper())
c.close()
)"}}});
  ASSERT_TRUE(run_until([&] { return server->out.find('\n') != std::string::npos; }));
  auto port = std::stoi(server->out);
  auto reply = call(protocol::path::k_tcp_connect, {{"host", "localhost"}, {"port", port}});
  std::string text(600000, 'a');
  reply->call->send(FrameType::data_in, text);
  reply->call->end_in();
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  EXPECT_TRUE(reply->result) << reply->error->what();
  EXPECT_TRUE(reply->out == std::string(text.size(), 'A')) << reply->out.size();

  ASSERT_TRUE(run_until([&] { return server->is_over(); })); // with it goes its listening socket
  auto refused = call(protocol::path::k_tcp_connect, {{"port", port}});
  ASSERT_TRUE(run_until([&] { return refused->is_over(); }));
  ASSERT_TRUE(refused->error);
  EXPECT_NE(std::string(refused->error->what()).find("refused"), std::string::npos);
  EXPECT_THROW(ask(protocol::path::k_tcp_connect, {{"host", "nobody.example"}, {"port", 80}}), Error);
}

TEST_F(AgentTest, SyncsAndRefusesWhatOnlyASandboxMay) {
  EXPECT_NO_THROW(ask(protocol::path::k_sync, Json::object()));
  EXPECT_THROW(ask(protocol::path::k_clock_set, {{"epoch_ms", 1}}), Error);
  EXPECT_THROW(ask(protocol::path::k_identity, {{"hostname", "x"}}), Error);
}

TEST_F(AgentTest, StaysSmall) {
  exec(shell("head -c 20000000 /dev/zero"));
  std::ifstream status("/proc/" + std::to_string(m_agent.pid()) + "/status");
  long resident = 0;
  for (std::string key; status >> key;) {
    if (key == "RssAnon:") {
      status >> resident;
    }
  }
  EXPECT_GT(resident, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which keep books in memory
  EXPECT_LT(resident, 3 * 1024) << "KiB of private memory";
#endif
}

TEST_F(AgentTest, ShutdownEndsEverything) {
  auto reply = start_exec(shell("trap '' TERM; echo $$; while :; do sleep 1; done"));
  ASSERT_TRUE(run_until([&] { return !reply->out.empty(); }));
  auto pid = std::stoi(reply->out);
  EXPECT_NO_THROW(ask(protocol::path::k_shutdown, {{"grace_ms", 100}}));
  EXPECT_FALSE(is_running(pid));
}

TEST_F(AgentTest, DiesWithItsChannelAndTakesEverybodyAlong) {
  auto reply = start_exec(shell("setsid sleep 60 & echo $!; sleep 60"));
  ASSERT_TRUE(run_until([&] { return !reply->out.empty(); }));
  auto pid = std::stoi(reply->out);
  m_pump->close();
  EXPECT_TRUE(run_until([&] { return !is_running(pid); }));
}

} // namespace
} // namespace pyro::agent
