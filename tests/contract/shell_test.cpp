// Shells: terminals beside exec that live in the sandbox.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

/// A workspace with one shell that has shown its prompt.
class Shells {
public:
  explicit Shells(Contract& test, Json more = Json::object()) : m_test(test), id(test.create_id()) {
    more["workspace_id"] = id;
    opened = test.call("shell_open", more);
    shell = opened["shell_id"].get<std::string>();
  }

  Json with(Json more = Json::object()) const {
    more.emplace("workspace_id", id);
    more.emplace("shell_id", shell);
    return more;
  }

  Json write(const std::string& input, Json more = Json::object()) const {
    more["input"] = input;
    return m_test.call("shell_write", with(more));
  }

  /// Reads from the beginning until the text shows up.
  std::string see(const std::string& text) const {
    std::string output;
    for (int i = 0; i < 100 && output.find(text) == std::string::npos; ++i) {
      output = read({{"wait_for_idle_ms", 50}, {"plain", true}})["output"].get<std::string>();
    }
    EXPECT_NE(output.find(text), std::string::npos) << "the shell shows: " << output;
    return output;
  }

  Json read(Json more = Json::object()) const { return m_test.call("shell_read", with(std::move(more))); }

private:
  Contract& m_test;

public:
  std::string id;
  std::string shell;
  Json opened;
};

TEST_P(ContractSandbox, shell_open) {
  const Shells shells(*this);
  EXPECT_EQ(shells.opened["workspace_id"], shells.id);
  EXPECT_FALSE(shells.shell.empty());
  EXPECT_EQ(shells.opened["state"], "running");
  EXPECT_EQ(shells.opened["cwd"], "/workspace");
  EXPECT_EQ(shells.opened["cols"], 120);
  EXPECT_EQ(shells.opened["rows"], 30);
  shells.write("pwd; stty size; echo \"[$A]\"");
  shells.see("\n/workspace\n30 120\n[]\n");

  const auto other = call(
      "shell_open",
      {{"workspace_id", shells.id}, {"cwd", "/etc"}, {"cols", 60}, {"rows", 20}, {"env", {{"A", "b c"}}}});
  EXPECT_NE(other["shell_id"], shells.shell);
  call(
      "shell_write", {{"workspace_id", shells.id},
                      {"shell_id", other["shell_id"]},
                      {"input", "pwd; stty size; echo \"[$A]\"; exit 3"}});
  Json seen;
  do {
    seen = call(
        "shell_read", {{"workspace_id", shells.id},
                       {"shell_id", other["shell_id"]},
                       {"plain", true},
                       {"wait_for_idle_ms", 50}});
  } while (seen["state"] == "running");
  EXPECT_NE(seen["output"].get<std::string>().find("\n/etc\n20 60\n[b c]\n"), std::string::npos) << seen;
  const auto list = call("shell_list", {{"workspace_id", shells.id}});
  EXPECT_EQ(list["count"], 2);
  for (const auto& shell : list["shells"]) {
    EXPECT_EQ(shell["state"], shell["shell_id"] == shells.shell ? "running" : "exited");
    EXPECT_EQ(shell["exit_code"], shell["shell_id"] == shells.shell ? Json() : Json(3));
  }
  fails("shell_open", {{"workspace_id", shells.id}, {"cwd", "/not/there"}}, ErrorCode::failed, "/not/there");
}

TEST_P(ContractSandbox, shell_write_read) {
  const Shells shells(*this);
  const auto written = shells.write("echo one-$((40 + 2))");
  EXPECT_EQ(written["append_newline"], true);
  EXPECT_EQ(written["input_length"], 21);
  shells.see("\none-42\n");
  shells.write("echo tw", {{"append_newline", false}});
  EXPECT_EQ(shells.see("echo tw").find("\ntwo"), std::string::npos);
  shells.write("o-$((40 + 3))");
  shells.see("\ntwo-43\n");
  fails(
      "shell_write", {{"workspace_id", shells.id}, {"shell_id", "sh-none"}, {"input", "x"}},
      ErrorCode::invalid_argument, "does not exist");
  fails(
      "shell_read", {{"workspace_id", shells.id}, {"shell_id", "sh-none"}}, ErrorCode::invalid_argument,
      "does not exist");
}

TEST_P(ContractSandbox, shell_cursor) {
  const Shells shells(*this);
  shells.write("stty -echo; PS1=; printf '%s\\n' abc\xe2\x82\xac"
               "def");
  shells.see("\nabc");
  const auto before = shells.read({{"wait_for_idle_ms", 100}});
  EXPECT_EQ(before["cursor"], 0);
  EXPECT_EQ(before["truncated"], false);
  const auto end = before["next_cursor"];
  EXPECT_EQ(shells.read(), shells.read()) << "reading does not consume";
  EXPECT_EQ(shells.read({{"cursor", end}})["output"], "");

  shells.write("printf '0123\xe2\x82\xac"
               "5678'");
  shells.see("5678");
  const auto first = shells.read({{"cursor", end}, {"max_chars", 5}});
  EXPECT_EQ(first["output"], "0123\xe2\x82\xac");
  EXPECT_EQ(first["cursor"], end);
  EXPECT_EQ(first["next_cursor"].get<int>(), end.get<int>() + 7);
  EXPECT_EQ(first["truncated"], true);
  const auto second = shells.read({{"cursor", first["next_cursor"]}});
  EXPECT_EQ(second["output"], "5678");
  EXPECT_EQ(second["truncated"], false);
  fails("shell_read", shells.with({{"max_chars", 0}}), ErrorCode::invalid_argument, "max_chars");
}

TEST_P(ContractSandbox, shell_plain) {
  const Shells shells(*this);
  shells.write("printf '\\033[1;31mred\\033[0m\\033]0;title\\007 %s\\n' end");
  shells.see("\nred end\n");
  const auto raw = shells.read()["output"].get<std::string>();
  EXPECT_NE(raw.find("\x1b[1;31mred\x1b[0m\x1b]0;title\x07 end\r\n"), std::string::npos) << raw;

  shells.write("sleep 0.3; echo first-$((1 + 1)); sleep 0.3; echo last-$((1 + 1))");
  const auto idle = shells.read({{"plain", true}, {"wait_for_idle_ms", 700}});
  EXPECT_NE(idle["output"].get<std::string>().find("\nfirst-2\nlast-2\n"), std::string::npos) << idle;
  fails(
      "shell_read", shells.with({{"wait_for_idle_ms", 100'000}}), ErrorCode::invalid_argument,
      "wait_for_idle_ms");
}

TEST_P(ContractSandbox, shell_signal) {
  const Shells shells(*this);
  shells.write("sleep 1000; echo after-$?");
  shells.see("sleep 1000");
  exec(shells.id, "for i in 1 2 3 4 5 6 7 8 9; do pidof sleep && break; sleep 0.1; done");
  const auto answer = call("shell_signal", shells.with({{"signal", "INT"}}));
  EXPECT_EQ(answer["signal"], "INT");
  EXPECT_EQ(answer["state"], "running");
  shells.write("echo alive-$((1 + 1))");
  shells.see("alive-2");
  fails(
      "shell_signal", shells.with({{"signal", "USR1"}}), ErrorCode::invalid_argument, "HUP, INT, TERM, KILL");
  call("shell_signal", shells.with({{"signal", "KILL"}}));
  EXPECT_EQ(shells.read({{"wait_for_idle_ms", 5000}})["state"], "exited");
  fails("shell_write", shells.with({{"input", "x"}}), ErrorCode::bad_state, "has ended");
}

TEST_P(ContractSandbox, shell_resize) {
  const Shells shells(*this);
  const auto answer = call("shell_resize", shells.with({{"cols", 77}, {"rows", 33}}));
  EXPECT_EQ(answer["cols"], 77);
  EXPECT_EQ(answer["rows"], 33);
  shells.write("stty size");
  shells.see("\n33 77\n");
  fails("shell_resize", shells.with({{"cols", 0}, {"rows", 1}}), ErrorCode::invalid_argument, "cols");
}

TEST_P(ContractSandbox, shell_close) {
  const Shells shells(*this);
  shells.write("sleep 1000 & echo started-$((1 + 1))");
  shells.see("started-2");
  const auto closed = call("shell_close", shells.with());
  EXPECT_EQ(closed["closed"], true);
  bool is_gone = false; // one that was killed may be seen for a moment still
  for (int i = 0; i < 100 && !is_gone; ++i) {
    is_gone = exec(shells.id, "pidof sleep")["exit_code"] == 1;
  }
  EXPECT_TRUE(is_gone);
  for (const auto* operation : {"shell_read", "shell_close", "shell_signal"}) {
    fails(operation, shells.with(), ErrorCode::invalid_argument, "does not exist");
  }
  EXPECT_EQ(call("shell_list", {{"workspace_id", shells.id}})["count"], 0);
}

TEST_P(ContractSandbox, shell_not_logged) {
  const Shells shells(*this);
  shells.write("echo secret-$((1 + 1))");
  shells.see("secret-2");
  exec(shells.id, "true");
  const auto logs = call("workspace_logs", {{"workspace_id", shells.id}});
  EXPECT_EQ(logs["count"], 1);
  EXPECT_EQ(logs.dump().find("secret"), std::string::npos);
  EXPECT_EQ(call("workspace_status", {{"workspace_id", shells.id}})["command_count"], 1);
}

TEST_P(ContractSandbox, shell_other_process) {
  const Shells shells(*this);
  shells.write("A=kept");
  reopen();
  shells.write("echo \"$A-$((1 + 1))\"");
  shells.see("\nkept-2\n");
}

TEST_P(ContractSandbox, shell_ends_with_sandbox) {
  const Shells shells(*this);
  shells.write("echo $((1 + 1))-there");
  shells.see("2-there");
  call("workspace_reset", {{"workspace_id", shells.id}});
  fails("shell_read", shells.with(), ErrorCode::invalid_argument, "does not exist");
  EXPECT_EQ(call("shell_list", {{"workspace_id", shells.id}})["count"], 0);
  const auto fresh = call("shell_open", {{"workspace_id", shells.id}});
  call("workspace_stop", {{"workspace_id", shells.id}});
  fails(
      "shell_read", {{"workspace_id", shells.id}, {"shell_id", fresh["shell_id"]}}, ErrorCode::bad_state,
      "must be in 'started' state");
  fails("shell_open", {{"workspace_id", shells.id}}, ErrorCode::bad_state, "must be in 'started' state");
  call("workspace_delete", {{"workspace_id", shells.id}});
  fails("shell_open", {{"workspace_id", shells.id}}, ErrorCode::not_found, "does not exist");
}

TEST_P(ContractSandbox, shell_bounded) {
  const Shells shells(*this);
  shells.write("head -c 2000000 /dev/zero | tr '\\0' x; echo THE-$((1 + 1))-END");
  Json read;
  for (int i = 0; i < 100; ++i) {
    read = shells.read({{"max_chars", 1'000'000}, {"wait_for_idle_ms", 100}, {"plain", true}});
    if (read["output"].get<std::string>().find("THE-2-END") != std::string::npos) {
      break;
    }
  }
  EXPECT_GT(read["dropped_bytes"].get<int>(), 1'000'000);
  EXPECT_LT(read["output"].get<std::string>().size(), 1'000'000U);
  EXPECT_NE(read["output"].get<std::string>().find("THE-2-END"), std::string::npos);
  EXPECT_EQ(shells.read({{"cursor", read["next_cursor"]}})["dropped_bytes"], 0);
}

TEST_P(ContractSandbox, ws_secrets__shell) {
  const auto id = create_id({{"secrets", Json::array({{{"name", "token"}, {"value", "S3cretValue99"}}})}});
  const auto shell =
      call("shell_open", {{"workspace_id", id}, {"secret_env", {{"token", "TOKEN"}}}})["shell_id"];
  const auto with = [&](Json more) {
    more["workspace_id"] = id;
    more["shell_id"] = shell;
    return more;
  };
  call("shell_write", with({{"input", "echo \"<$TOKEN>\"; echo $((1 + 1))-done"}}));
  std::string all;
  Json cursor = 0;
  // In small portions, so that the value lies across the ends of reads.
  for (int i = 0; i < 2000 && all.find("2-done") == std::string::npos; ++i) {
    const auto read = call("shell_read", with({{"cursor", cursor}, {"max_chars", 3}, {"plain", true}}));
    all += read["output"].get<std::string>();
    cursor = read["next_cursor"];
  }
  EXPECT_NE(all.find("<[redacted:token]>"), std::string::npos) << all;
  EXPECT_EQ(all.find("S3cret"), std::string::npos) << all;
  EXPECT_EQ(all.find("Value99"), std::string::npos) << all;
}

} // namespace
} // namespace pyro::contract
