// Whole command lines against an engine in memory: what is asked of it, what is written where, exit statuses.
#include "memory_engine.hpp"

#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::cli {

namespace {

using Words = std::vector<std::string>;

World::Answer answer(Json value) {
  return [value = std::move(value)](const Json&, const operations::Callbacks&) {
    return value;
  };
}

World::Answer failure(const Error& error) {
  return [error](const Json&, const operations::Callbacks&) -> Json {
    throw error;
  };
}

const Json k_applied{{"workspace_id", "ws-1"}, {"name", "shop"}, {"changed", true}, {"duration_ms", 10}};

} // namespace

TEST(Run, VersionAndHelp) {
  Terminal terminal;
  EXPECT_EQ(terminal.run({"--version"}), 0);
  EXPECT_EQ(terminal.out.rfind("pyro ", 0), 0U);
  EXPECT_EQ(terminal.run({"--help"}), 0);
  EXPECT_NE(terminal.out.find("snapshot save"), std::string::npos);
  EXPECT_EQ(terminal.run({"apply", "-h"}), 0);
  EXPECT_NE(terminal.out.find("Usage: pyro apply [flags]"), std::string::npos);
  EXPECT_EQ(terminal.run({"help", "exec"}), 0);
  EXPECT_NE(terminal.out.find("-- COMMAND"), std::string::npos);
  EXPECT_EQ(terminal.run({"snapshot", "--help"}), 0);
  EXPECT_EQ(terminal.err, "");
  EXPECT_EQ(terminal.run({}), 64);
  EXPECT_EQ(terminal.out, "");
  EXPECT_EQ(terminal.run({"snapshot"}), 64);
}

TEST(Run, UsageErrorsAre64) {
  Terminal terminal;
  EXPECT_EQ(terminal.run({"aply"}), 64);
  EXPECT_EQ(terminal.err, "pyro: error: there is no command 'aply'\nhint: did you mean 'pyro apply'?\n");
  EXPECT_EQ(terminal.run({"plan", "--jsn"}), 64);
  EXPECT_EQ(terminal.run({"plan", "--json", "extra"}), 64);
  EXPECT_EQ(Json::parse(terminal.err)["error"]["code"], "usage");
  EXPECT_EQ(terminal.run({"plan", "--var", "novalue"}), 64);
}

TEST(Run, ParametersReachTheOperation) {
  Terminal terminal;
  terminal.variables = {{"a", "env"}, {"b", "env"}};
  terminal.world.answers["apply"] = answer(k_applied);
  EXPECT_EQ(
      terminal.run(
          {"apply", "-C", "/x", "--profile", "ci", "--var", "a=flag", "--yes", "--no-wait", "--timeout",
           "10m", "--lock-timeout", "5s"}),
      0);
  ASSERT_EQ(terminal.world.calls.size(), 1U);
  EXPECT_EQ(
      terminal.world.calls[0].second, Json::parse(R"({"directory": "/x", "profile": "ci", "approve": true,
        "vars": {"a": "flag", "b": "env"}, "wait": false, "cache": true, "timeout": "10m"})"));
  EXPECT_EQ(terminal.world.settings.lock_timeout, std::chrono::seconds(5));
}

TEST(Run, ApplyShowsPlanProgressAndSummaryOnStandardError) {
  Terminal terminal;
  terminal.world.answers["apply"] = [](const Json&, const operations::Callbacks& callbacks) {
    callbacks.events({"plan", "", "pyro plan\n", {}});
    callbacks.events({"action_start", "workspace", "creating", {}});
    callbacks.events({"action_complete", "workspace", "created", {}});
    return k_applied;
  };
  EXPECT_EQ(terminal.run({"apply"}), 0);
  EXPECT_EQ(terminal.out, "");
  EXPECT_EQ(terminal.err.rfind("pyro plan\n\n", 0), 0U);
  EXPECT_NE(terminal.err.find("workspace: created"), std::string::npos);
  EXPECT_NE(terminal.err.find("Done: shop is as pyro.yaml says."), std::string::npos);
  EXPECT_EQ(terminal.run({"up", "--detailed-exitcode", "-q"}), 2);
  EXPECT_EQ(terminal.err, "");
  EXPECT_EQ(terminal.run({"apply", "--json", "--progress", "quiet"}), 0);
  EXPECT_EQ(Json::parse(terminal.out), k_applied);
  EXPECT_EQ(terminal.run({"apply", "-o", "jsonl"}), 0);
  std::istringstream lines(terminal.out);
  std::vector<std::string> types;
  for (std::string line; std::getline(lines, line);) {
    types.push_back(Json::parse(line)["type"]);
  }
  EXPECT_EQ(types, (Words{"version", "action_start", "action_complete", "outputs", "result"}));
}

TEST(Run, WhatAFileWantsIsAskedOnATerminalOnly) {
  Terminal terminal;
  const Json request{{"kind", "command"}, {"what", "id\x1b[2K"}, {"address", "secrets.token"}};
  const Json wanted{
      {"file", "/shop/pyro.yaml"}, {"requests", {request}}, {"added", {request}}, {"digest", "d"}};
  terminal.world.answers["apply"] = [&](const Json&, const operations::Callbacks&) -> Json {
    const auto& settings = terminal.world.settings;
    if (settings.trust == operations::TrustGrant::recorded && !settings.agree(wanted)) {
      throw Error(ErrorCode::approval_needed, "not agreed to");
    }
    return k_applied;
  };
  EXPECT_EQ(terminal.run({"apply"}), 7) << "nobody to ask";
  EXPECT_EQ(terminal.run({"apply", "--yes"}), 7) << "--yes is about what would be lost";
  EXPECT_EQ(terminal.run({"apply", "--json"}), 7);
  EXPECT_EQ(Json::parse(terminal.err)["error"]["details"], wanted);
  EXPECT_EQ(terminal.run({"apply", "--trust"}), 0);
  EXPECT_EQ(terminal.world.settings.trust, operations::TrustGrant::remember);
  terminal.environment = {{"PYRO_TRUST", "1"}};
  EXPECT_EQ(terminal.run({"apply"}), 0);
  EXPECT_EQ(terminal.world.settings.trust, operations::TrustGrant::once);
  terminal.environment.clear();
  terminal.is_terminal = true;
  terminal.typed = {"n", "y"};
  EXPECT_EQ(terminal.run({"apply"}), 7);
  EXPECT_NE(terminal.err.find("secrets.token  id\\x1b[2K"), std::string::npos) << terminal.err;
  EXPECT_EQ(terminal.run({"apply"}), 0);
  terminal.environment = {{"CI", "true"}};
  EXPECT_EQ(terminal.run({"apply"}), 7) << "CI asks nobody, and agrees to nothing";
}

TEST(Run, ALongListOfWhatAFileWantsHidesNothing) {
  Terminal terminal;
  Json requests = Json::array();
  requests.push_back({{"kind", "command"}, {"what", "touch /x"}, {"address", "secrets.token"}});
  for (int i = 0; i < 500; ++i) {
    requests.push_back(
        {{"kind", "environment"}, {"what", "LANG"}, {"address", fmt::format("labels.l{}", i)}});
  }
  requests.push_back(
      {{"kind", "environment"}, {"what", "LANG"}, {"address", "labels." + std::string(100'000, 'a')}});
  const Json wanted{
      {"file", "/shop/pyro.yaml"}, {"requests", requests}, {"added", requests}, {"digest", "d"}};
  terminal.world.answers["apply"] = [&](const Json&, const operations::Callbacks&) -> Json {
    terminal.world.settings.agree(wanted);
    throw Error(ErrorCode::approval_needed, "not agreed to");
  };
  terminal.is_terminal = true;
  terminal.typed = {"n"};
  EXPECT_EQ(terminal.run({"apply"}), 7);
  const auto question = terminal.err.find("Agree to all of this (1 command, 501 environment)");
  EXPECT_NE(question, std::string::npos) << terminal.err.substr(terminal.err.size() - 500);
  EXPECT_NE(terminal.err.find("secrets.token  touch /x"), std::string::npos)
      << "one long address pushed all the others aside";
}

TEST(Run, TrustIsACommandAndAGroup) {
  Terminal terminal;
  const Json wanted{
      {"file", "/shop/pyro.yaml"}, {"requests", Json::array()}, {"digest", "d"}, {"agreed", true}};
  terminal.world.answers["trust_show"] = answer(wanted);
  terminal.world.answers["trust_list"] = answer({{"checkouts", Json::array()}});
  EXPECT_EQ(terminal.run({"trust"}), 0);
  EXPECT_EQ(terminal.run({"trust", "--json"}), 0);
  EXPECT_EQ(terminal.run({"trust", "ls"}), 0);
  EXPECT_EQ(terminal.run({"trust", "--help"}), 0);
  EXPECT_NE(terminal.out.find("pyro trust [flags]"), std::string::npos);
  EXPECT_EQ(terminal.run({"trust", "nothing"}), 64);
}

TEST(Run, ApprovalIsAskedOnATerminalOnly) {
  Terminal terminal;
  terminal.world.answers["reset"] = [](const Json&, const operations::Callbacks& callbacks) -> Json {
    if (!callbacks.ask || !callbacks.ask("would discard 3 files\n")) {
      throw Error(ErrorCode::approval_needed, "reset would discard 3 files").with_hint("--yes");
    }
    return {{"name", "shop"}, {"workspace_reset", {{"snapshot_name", "ready"}}}};
  };
  EXPECT_EQ(terminal.run({"reset"}), 7) << "no terminal, nobody to ask";
  terminal.is_terminal = true;
  terminal.typed = {"y"};
  EXPECT_EQ(terminal.run({"reset", "--color=never"}), 0);
  EXPECT_EQ(
      terminal.err,
      "would discard 3 files\n\nGo on? [y/N] shop is reset to ready. There is no undo point.\n");
  terminal.typed = {"n"};
  EXPECT_EQ(terminal.run({"reset"}), 7);
  EXPECT_EQ(terminal.run({"reset"}), 7) << "end of input is a no";
  terminal.typed = {"y"};
  terminal.environment["CI"] = "true";
  EXPECT_EQ(terminal.run({"reset"}), 7) << "CI never asks";
}

TEST(Run, ErrorsHaveTheirFormsAndStatuses) {
  Terminal terminal;
  Error error(ErrorCode::not_ready, "api was not ready");
  error.at({"pyro.yaml", 69, 5}).with_output({"line \x1b[1m1", "line 2"}).with_hint("pyro logs api");
  error.add_context("while starting services.api");
  terminal.world.answers["apply"] = failure(error);
  EXPECT_EQ(terminal.run({"apply"}), 6);
  EXPECT_EQ(terminal.err, R"(pyro: error: pyro.yaml:69:5: api was not ready
    line \x1b[1m1
    line 2
  while starting services.api
hint: pyro logs api
)");
  EXPECT_EQ(terminal.run({"apply", "--json"}), 6);
  EXPECT_EQ(Json::parse(terminal.err)["error"]["message"], "api was not ready");
  EXPECT_EQ(terminal.out, "");
  EXPECT_EQ(terminal.run({"apply", "-o", "github"}), 6);
  EXPECT_EQ(
      terminal.out, "::error file=pyro.yaml,line=69,col=5,endLine=69,title=pyro::api was not ready%0Aline "
                    "\\x1b[1m1%0Aline 2"
                    "%0Ahint: pyro logs api\n");
  terminal.world.answers["apply"] = [](const Json&, const operations::Callbacks&) -> Json {
    throw std::runtime_error("boom");
  };
  EXPECT_EQ(terminal.run({"apply"}), 70);
}

TEST(Run, ValidateReportsAndExits65) {
  Terminal terminal;
  terminal.world.answers["validate"] = answer(Json::parse(R"({"valid": false, "diagnostics": [
    {"severity": "error", "position": {"file": "p.yaml", "line": 2, "column": 1}, "address": "seed", "message": "no"}]})"));
  EXPECT_EQ(terminal.run({"validate"}), 65);
  EXPECT_EQ(terminal.out, "p.yaml:2:1: error: seed: no\n");
  EXPECT_EQ(terminal.run({"validate", "-o", "github"}), 65);
  EXPECT_EQ(terminal.out, "::error file=p.yaml,line=2,col=1,endLine=2,title=seed::no\n");
}

TEST(Run, DiffExitCodes) {
  Terminal terminal;
  terminal.world.answers["diff"] =
      answer({{"changed", true}, {"entries", {{{"path", "/a"}, {"status", "added"}}}}});
  EXPECT_EQ(terminal.run({"diff", "--exit-code", "src", "etc"}), 1);
  EXPECT_EQ(terminal.out, "A /a\n");
  EXPECT_EQ(terminal.world.calls[0].second["paths"], (Json{"src", "etc"}));
  EXPECT_EQ(terminal.run({"diff"}), 0);
  terminal.world.answers["diff"] = failure(Error(ErrorCode::not_found, "no workspace"));
  EXPECT_EQ(terminal.run({"diff", "--exit-code"}), 10) << "1 means differs";
}

TEST(Run, PlanTellsByExitCodeOnlyWhenAsked) {
  Terminal terminal;
  terminal.world.answers["plan"] =
      answer({{"text", "the plan"}, {"plan", {{"actions", {{{"action", "build"}}}}}}});
  EXPECT_EQ(terminal.run({"plan"}), 0);
  EXPECT_EQ(terminal.out, "the plan\n");
  EXPECT_EQ(terminal.run({"plan", "--detailed-exitcode"}), 2);
}

TEST(Run, ExecPassesStreamsAndStatusThrough) {
  Terminal terminal;
  terminal.world.exec = [](const operations::ExecRequest&, const operations::ExecStreams&) {
    return operations::ExecResult{.exit_code = 42};
  };
  EXPECT_EQ(
      terminal.run(
          {"exec", "-e", "A=1", "-u", "root", "--cwd", "/", "--timeout", "2s", "-w", "x", "--", "ls", "-l"}),
      42);
  const auto& request = terminal.world.exec_request;
  EXPECT_EQ(request.argv, (Words{"ls", "-l"}));
  EXPECT_EQ(request.env.at("A"), "1");
  EXPECT_EQ(request.user, "root");
  EXPECT_EQ(request.cwd, "/");
  EXPECT_EQ(request.timeout, std::chrono::seconds(2));
  EXPECT_FALSE(request.tty);
  EXPECT_EQ(terminal.world.exec_streams.in, STDIN_FILENO) << "not a terminal: passed on";
  EXPECT_EQ(terminal.world.calls[0].second, (Json{{"workspace", "x"}}));
  terminal.is_terminal = true;
  EXPECT_EQ(terminal.run({"exec", "true"}), 42);
  EXPECT_EQ(terminal.world.exec_streams.in, -1);
  EXPECT_EQ(terminal.run({"exec", "-i", "true"}), 42);
  EXPECT_EQ(terminal.world.exec_streams.in, STDIN_FILENO);
}

TEST(Run, ExecFailuresAreToldFromTheCommands) {
  Terminal terminal;
  terminal.world.exec = [](const operations::ExecRequest&,
                           const operations::ExecStreams&) -> operations::ExecResult {
    throw Error(ErrorCode::not_found, "no workspace here");
  };
  EXPECT_EQ(terminal.run({"exec", "--", "true"}), 125);
  EXPECT_EQ(terminal.run({"exec"}), 64);
  terminal.world.exec = [](const operations::ExecRequest&, const operations::ExecStreams&) {
    return operations::ExecResult{.exit_code = 127, .note = "nope: not found"};
  };
  EXPECT_EQ(terminal.run({"exec", "nope"}), 127);
  EXPECT_EQ(terminal.err, "pyro: error: nope: not found\n");
  terminal.world.exec = [](const operations::ExecRequest&,
                           const operations::ExecStreams&) -> operations::ExecResult {
    throw Error(ErrorCode::timeout, "2 s are over");
  };
  EXPECT_EQ(terminal.run({"exec", "sleep", "9"}), 124);
  EXPECT_EQ(terminal.run({"shell"}), 64) << "no terminal";
}

TEST(Run, ExecAsJsonIsCaptured) {
  Terminal terminal;
  terminal.world.answers["exec"] = answer({{"exit_code", 3}, {"stdout", "hi\n"}, {"stderr", ""}});
  EXPECT_EQ(terminal.run({"exec", "--json", "--", "x", "y"}), 3);
  EXPECT_EQ(Json::parse(terminal.out)["stdout"], "hi\n");
  EXPECT_EQ(terminal.world.calls[0].second["argv"], (Json{"x", "y"}));
}

TEST(Run, LogsNameTheServiceAndEscapeWhatGuestsWrite) {
  Terminal terminal;
  terminal.world.log_lines = {{"api", "up \x1b]0;x\x07"}, {"db", "ready"}};
  EXPECT_EQ(terminal.run({"logs", "-f", "-n", "5"}), 0);
  EXPECT_EQ(terminal.out, "api | up \\x1b]0;x\\x07\ndb | ready\n");
  EXPECT_TRUE(terminal.world.log_request.follow);
  EXPECT_EQ(terminal.world.log_request.tail, 5);
  EXPECT_EQ(terminal.run({"logs", "api"}), 0);
  EXPECT_EQ(terminal.world.log_request.service, "api");
  EXPECT_EQ(terminal.run({"logs", "-n", "many"}), 64);
  EXPECT_EQ(terminal.run({"logs", "-f", "-o", "jsonl"}), 0);
  EXPECT_EQ(Json::parse(terminal.out.substr(0, terminal.out.find('\n')))["service"], "api");
}

TEST(Run, DoctorFailsForErrorsOnly) {
  Terminal terminal;
  terminal.world.answers["doctor"] =
      answer(Json::parse(R"({"checks": [{"name": "a", "ok": false, "level": "warning"}]})"));
  EXPECT_EQ(terminal.run({"doctor"}), 0);
  terminal.world.answers["doctor"] = answer(Json::parse(R"({"checks": [{"name": "a", "ok": false}]})"));
  EXPECT_EQ(terminal.run({"doctor"}), 10);
}

TEST(Run, ColoursFollowTheTerminalAndNoColor) {
  Terminal terminal;
  terminal.world.answers["status"] = answer({{"workspace_id", "1"}, {"name", "x"}, {"state", "started"}});
  terminal.is_terminal = true;
  terminal.run({"status"});
  EXPECT_NE(terminal.out.find("\x1b["), std::string::npos);
  terminal.environment["NO_COLOR"] = "1";
  terminal.run({"status"});
  EXPECT_EQ(terminal.out.find("\x1b["), std::string::npos);
  terminal.run({"status", "--color=always"});
  EXPECT_NE(terminal.out.find("\x1b["), std::string::npos);
}

} // namespace pyro::cli
