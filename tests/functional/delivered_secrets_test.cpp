// A secret that a sandbox was given is taken out of whatever is shown of it, whoever asks and whatever they
// have at hand; what is content stays as it is (docs/decisions/0052).
#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"
#include "../support/terminal.hpp"

#include <unistd.h>

namespace pyro::testing {
namespace {

class DeliveredSecrets : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
    write_file(project() / "seed/file", "text\n");
  }

  RunOptions with(const std::string& value) {
    auto options = without();
    options.env["TEST_TOKEN"] = value;
    options.env["PYRO_TRUST"] = "1";
    return options;
  }

  /// Neither the variable nor an agreement.
  RunOptions without() {
    RunOptions options;
    options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    return options;
  }

  RunOptions trusting() {
    auto options = without();
    options.env["PYRO_TRUST"] = "1";
    return options;
  }

  void file(const std::string& rest, const std::string& secret = "{env: TEST_TOKEN}") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: dir:./image}\nseed: {from: ./seed}\n"
        "secrets: {token: "
            + secret + "}\n" + rest);
  }

  /// Says it on both streams and in a probe, and leaves it in a file.
  void talker(const std::string& secret = "{env: TEST_TOKEN}") {
    file(
        "services:\n  talker:\n    secrets: [token]\n    command: |\n      cat $TOKEN_FILE\n      echo\n"
        "      echo \"said $(cat $TOKEN_FILE)\" >&2\n      cat $TOKEN_FILE >> /workspace/left\n"
        "      echo >> /workspace/left\n      exec sleep 1000\n"
        "    readiness: {exec: 'cat $TOKEN_FILE && test -s /workspace/left'}\n",
        secret);
  }

  static void has(const std::string& text, const std::string& part) {
    EXPECT_TRUE(contains(text, part)) << part << " is not in: " << text;
  }

  static void lacks(const std::string& text, const std::string& part) {
    EXPECT_FALSE(contains(text, part)) << part << " is in: " << text;
  }

  static void expect_taken_out(const Result& result, const std::string& value) { lacks(result.all(), value); }

  void expect_every_front(const RunOptions& asker, const std::string& value) {
    const auto said = [&](const Arguments& arguments) {
      const auto result = pyro(arguments, asker);
      SCOPED_TRACE(::testing::PrintToString(arguments));
      EXPECT_EQ(result.status, 0) << result;
      lacks(result.all(), value);
      has(result.all(), "[redacted:token]");
    };
    said({"logs"});
    said({"logs", "talker"});
    said({"logs", "--json"});
    said({"status", "--json"});
    said({"exec", "--", "cat", "left"});
    said({"exec", "--json", "--", "cat", "/run/secrets/token"});
    said({"workspace", "exec", "test", "--", "cat", "left"});
    said({"workspace", "exec", "test", "--json", "--", "sh", "-c", "cat left >&2"});
    said({"workspace", "logs", "test", "--json"}); // what those commands said is on record
    said({"workspace", "logs", "test"});
    said({"workspace", "status", "test", "--json"});
    said({"workspace", "list", "--json"});
    said({"workspace", "summary", "test", "--json"});
    said({"workspace", "service", "list", "test", "--json"});
    said({"workspace", "service", "status", "test", "talker", "--json"});
    said({"workspace", "service", "logs", "test", "talker"});
    said({"workspace", "service", "logs", "test", "talker", "--json"});
    expect_shell(asker, value);
    expect_mcp(asker, value);
    for (const Arguments& quiet :
         {Arguments{"status"}, {"ls"}, {"plan", "--json"}, {"why", "services.talker"}, {"config"}}) {
      lacks(pyro(quiet, asker).all(), value);
    }
  }

  void expect_shell(const RunOptions& asker, const std::string& value) {
    const auto opened = json({"workspace", "shell", "open", "test"}, asker);
    const auto shell = opened.at("shell_id").get<std::string>();
    expect(0, {"workspace", "shell", "write", "test", shell, "--input", "cat left; echo do''ne"}, asker);
    Result read;
    EXPECT_TRUE(eventually([&] {
      read = expect(0, {"workspace", "shell", "read", "test", shell, "--plain"}, asker);
      return contains(read.out, "done");
    })) << read;
    lacks(read.all(), value);
    has(read.all(), "[redacted:token]");
    expect(0, {"workspace", "shell", "close", "test", shell}, asker);
  }

  void expect_mcp(const RunOptions& asker, const std::string& value) {
    const auto ask = [&](const Json& params, const std::string& method) {
      const Json request{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
      write_file(root() / "request", request.dump() + "\n");
      const auto script = "cd '" + root().string()
                          + "' && : > answer && { cat request; until test -s answer; do sleep 0.05; done; } "
                            "| pyro mcp serve --profile workspace --project-path '"
                          + project().string() + "' > answer && cat answer";
      const auto answer = command({"sh", "-c", script}, asker);
      lacks(answer.all(), value);
      has(answer.all(), "[redacted:token]");
    };
    const auto tool = [&](const std::string& name, Json arguments) {
      arguments["workspace"] = "test";
      ask({{"name", name}, {"arguments", std::move(arguments)}}, "tools/call");
    };
    tool("exec", {{"argv", {"cat", "left"}}});
    tool("logs", Json::object());
    tool("status", Json::object());
  }

  std::string token = "s3cr3t-" + std::to_string(::getpid()) + "-first";
  std::string other = "0ther-" + std::to_string(::getpid()) + "-second";
};

TEST_F(DeliveredSecrets, EveryFrontTakesOutWhatItsCallerDoesNotHave) {
  talker();
  expect_taken_out(expect(0, {"apply"}, with(token)), token);
  expect_every_front(without(), token);
  expect_every_front(with(other), token); // another value at hand is no better than none
}

TEST_F(DeliveredSecrets, WhatACommandPrintedIsTakenOutToo) {
  write_file(project() / "value", token);
  talker("{command: cat value}");
  expect(0, {"apply"}, trusting());
  write_file(project() / "value", other);
  expect_every_front(without(), token);
}

TEST_F(DeliveredSecrets, AChangedValueIsPlannedAndTheOldOneIsTakenOutForEver) {
  talker();
  expect(0, {"apply"}, with(token));
  has(expect(0, {"plan"}, with(token)).out, "No changes");
  const auto plan = expect(0, {"plan"}, with(other));
  has(plan.out, "services.talker");
  has(plan.out, "the value of secret token changed");
  expect_taken_out(plan, token);
  expect_taken_out(plan, other);
  const auto applied = json({"apply", "--yes"}, with(other));
  EXPECT_TRUE(applied.at("changed"));
  // It is ready as soon as there is a file, which the earlier one left.
  EXPECT_TRUE(eventually([&] { return inside("wc -l < left", without()).out == "2\n"; }));
  const auto expect_both_gone = [&](const Arguments& arguments) {
    const auto result = expect(0, arguments, without());
    lacks(result.all(), token);
    lacks(result.all(), other);
    has(result.all(), "[redacted:token]\n[redacted:token]");
  };
  expect_both_gone({"exec", "--", "cat", "left"});
  EXPECT_EQ(inside("cat /run/secrets/token | wc -c", without()).out, std::to_string(other.size()) + "\n");
  has(expect(0, {"plan"}, with(other)).out, "No changes");
  // A new sandbox on content that holds both.
  expect(0, {"snapshot", "save", "both"}, without());
  expect(0, {"reset", "--to", "both", "--yes"}, trusting());
  expect_both_gone({"exec", "--", "head", "-n", "2", "left"});
  expect(0, {"fork", "--snapshot", "both", "copy"}, trusting());
  expect_both_gone({"workspace", "exec", "copy", "--", "head", "-n", "2", "left"});
  expect(0, {"workspace", "delete", "copy"});
}

TEST_F(DeliveredSecrets, WhoFollowsLearnsOfAValueThatComesMeanwhile) {
  talker();
  expect(0, {"apply"}, with(token));
  const auto script = "pyro logs -f talker > followed 2>&1 & follower=$!\n"
                      "until grep -q said followed; do sleep 0.05; done\n"
                      "PYRO_TRUST=1 TEST_TOKEN='"
                      + other
                      + "' pyro apply --yes >/dev/null 2>&1\n"
                        "until test $(grep -c said followed) -ge 2; do sleep 0.05; done\n"
                        "kill $follower; wait $follower; cat followed";
  const auto followed = command({"sh", "-c", script}, without());
  lacks(followed.all(), token);
  lacks(followed.all(), other);
  has(followed.out, "said [redacted:token]");
}

TEST_F(DeliveredSecrets, WhatIsKeptOfAStoppedWorkspaceIsWithoutThem) {
  talker();
  expect(0, {"apply"}, with(token));
  expect(0, {"stop"}, without());
  for (const Arguments& look : {Arguments{"logs"}, {"logs", "--json"}}) {
    const auto result = expect(0, look, without());
    expect_taken_out(result, token);
    has(result.all(), "[redacted:token]");
  }
  for (const auto& path : files_holding(state(), token)) {
    EXPECT_TRUE(contains(path, "/gen/")) << "beside content: " << path;
  }
}

TEST_F(DeliveredSecrets, OfAStepTheyAreTakenOutOfWhatItLeft) {
  file("prepare: [{id: keep, secrets: [token], run: 'cat $TOKEN_FILE > left'}]\n");
  expect(0, {"apply"}, with(token));
  const auto said = expect(0, {"exec", "--", "cat", "left"}, without());
  EXPECT_EQ(said.out, "[redacted:token]");
}

TEST_F(DeliveredSecrets, OnATerminalTheBeginningOfOneAppearsAllTheSame) {
  talker();
  expect(0, {"apply"}, with(token));
  auto variables = environment(without());
  variables["TERM"] = "xterm";
  OnATerminal terminal(
      {(bin / "pyro").string(), "exec", "-t", "--", "sh", "-c", "printf 'name? s3cr3t'; read name; cat left"},
      variables, project());
  EXPECT_TRUE(terminal.see("name? s3cr3t")) << terminal.seen();
  terminal.type("me\r");
  EXPECT_TRUE(terminal.see("[redacted:token]")) << terminal.seen();
  lacks(terminal.seen(), token);
  EXPECT_EQ(terminal.status(), 0);
}

TEST_F(DeliveredSecrets, ContentStaysAsItIs) {
  talker();
  expect(0, {"apply"}, with(token));
  has(expect(0, {"diff", "-p"}, without()).out, "+" + token);
  expect(0, {"workspace", "export", "test", "left", "--output", (root() / "out").string()}, without());
  EXPECT_EQ(read_file(root() / "out"), token + "\n");
  EXPECT_EQ(expect(0, {"workspace", "file", "read", "test", "left"}, without()).out, token + "\n");
}

} // namespace
} // namespace pyro::testing
