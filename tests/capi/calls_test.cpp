// Operations through the library: results, errors, events, output as it is written, cancelling.
#include "library.hpp"

#include <pyro/base/base64.hpp>

#include <thread>

namespace pyro::testing {
namespace {

class CApiCalls : public CApi {};

struct FreeCancel {
  void operator()(pyro_cancel* cancel) const { pyro_cancel_free(cancel); }
};

using Cancel = std::unique_ptr<pyro_cancel, FreeCancel>;

/// The bytes that an event stands for.
std::string bytes_of(const Json& event) {
  return event["data"].is_null() ? event.value("text", "") : base64_decode(event["data"].value("base64", ""));
}

TEST_F(CApiCalls, AnOperationReturnsItsResult) {
  const auto library = open();
  EXPECT_EQ(ok(library.get(), "version")["version"], pyro_version());
  EXPECT_EQ(ok(library.get(), "apply")["changed"], true);
  EXPECT_EQ(ok(library.get(), "exec", shell("cat first"))["stdout"], "first\n");
  EXPECT_EQ(ok(library.get(), "status")["workspace_id"], json({"status"})["workspace_id"]);
}

TEST_F(CApiCalls, AnErrorIsTheDocumentThatTheProgramPrints) {
  const auto library = open();
  const auto unknown = call(library.get(), "statsu");
  EXPECT_EQ(unknown.status, PYRO_INVALID) << unknown;
  EXPECT_EQ(unknown.code(), "invalid_argument") << unknown;
  EXPECT_TRUE(contains(unknown.document.value("hint", ""), "status")) << unknown;

  const auto nowhere = call(library.get(), "workspace_status", {{"workspace_id", "nobody"}});
  EXPECT_EQ(nowhere.status, PYRO_INVALID) << nowhere;
  EXPECT_TRUE(contains(nowhere.document.value("message", ""), "does not exist")) << nowhere;
  const auto printed = pyro({"workspace", "status", "nobody", "--json"});
  EXPECT_EQ(Json::parse(printed.err, nullptr, false)["error"], nowhere.document) << printed;

  const auto wrong = call(library.get(), "exec", {{"argv", "ls"}});
  EXPECT_EQ(wrong.status, PYRO_INVALID) << wrong;
  EXPECT_TRUE(contains(wrong.document.value("message", ""), "argv")) << wrong;

  file("services: {web: {command: 'exit 3'}}\n");
  const auto state = call(library.get(), "apply");
  EXPECT_EQ(state.status, PYRO_FAILED) << state;
  EXPECT_EQ(state.code(), "not_ready") << state;
}

TEST_F(CApiCalls, ACommandsOutputComesAsItIsWritten) {
  const auto library = open();
  ok(library.get(), "apply");
  bool was_let_go = false;
  std::string out;
  std::string err;
  // The command waits for what only somebody can do who has read its first line.
  const auto result =
      ok(library.get(), "exec",
         shell("echo one; until [ -e /tmp/go ]; do sleep 0.05; done; echo two >&2; exit 3"),
         [&](const Json& event) {
           (event["kind"] == "stderr" ? err : out) +=
               event["kind"].get<std::string>().starts_with("std") ? bytes_of(event) : std::string();
           if (!was_let_go && out == "one\n") {
             was_let_go = true;
             ok(library.get(), "exec", shell("touch /tmp/go"));
           }
         });
  EXPECT_TRUE(was_let_go);
  EXPECT_EQ(out, "one\n");
  EXPECT_EQ(err, "two\n");
  EXPECT_EQ(result["stdout"], "one\n");
  EXPECT_EQ(result["exit_code"], 3);
}

TEST_F(CApiCalls, OutputOfVmsAndWorkspacesByHandComesToo) {
  const auto library = open();
  const auto image = "dir:" + (project() / "image").string();
  std::string out;
  const auto listen = [&](const Json& event) {
    out += event["kind"] == "stdout" ? bytes_of(event) : "";
  };
  ok(library.get(), "vm_run", {{"environment", image}, {"command", "echo vm"}}, listen);
  ok(library.get(), "workspace_create", {{"environment", image}, {"name", "by-hand"}});
  ok(library.get(), "workspace_exec", {{"workspace_id", "by-hand"}, {"command", "echo by hand"}}, listen);
  EXPECT_EQ(out, "vm\nby hand\n");
}

TEST_F(CApiCalls, BytesThatAreNoTextComeBesideIt) {
  const auto library = open();
  ok(library.get(), "apply");
  std::string all;
  bool has_damaged_text = false;
  // A character in two writes, and bytes that are no character at all.
  const auto script = R"(printf 'a\303'; sleep 0.2; printf '\244b\377\n'; sleep 0.2; printf '\360\237')";
  const auto result = ok(library.get(), "exec", shell(script), [&](const Json& event) {
    if (event["kind"] == "stdout") {
      all += bytes_of(event);
      has_damaged_text = has_damaged_text || (event["data"].is_null() && contains(event["text"], "\uFFFD"));
    }
  });
  EXPECT_EQ(all, "a\303\244b\377\n\360\237");
  EXPECT_FALSE(has_damaged_text);
  EXPECT_TRUE(contains(result["stdout"], "aäb\uFFFD\n")) << result;
}

TEST_F(CApiCalls, AllOfALongOutputComesWhileTheResultIsBounded) {
  const auto library = open();
  ok(library.get(), "apply");
  std::size_t bytes = 0;
  const auto result =
      ok(library.get(), "exec", shell("head -c 20000000 /dev/zero | tr '\\0' x"), [&](const Json& event) {
        bytes += event["kind"] == "stdout" ? event["text"].get_ref<const std::string&>().size() : 0;
      });
  EXPECT_EQ(bytes, 20'000'000U);
  EXPECT_EQ(result["stdout_truncated"], true);
}

TEST_F(CApiCalls, AFollowedLogComesLineByLine) {
  file("services: {ticker: {command: 'n=0; while true; do n=$((n+1)); echo tick $n; sleep 0.1; done'}}\n");
  const auto library = open();
  ok(library.get(), "apply");
  const Cancel cancel(pyro_cancel_new());
  std::vector<std::string> lines;
  const auto answer = call(
      library.get(), "logs", {{"follow", true}},
      [&](const Json& event) {
        if (event["kind"] == "log") {
          EXPECT_EQ(event["address"], "services.ticker");
          lines.push_back(event["text"]);
          if (lines.size() == 20) {
            pyro_cancel_request(cancel.get());
          }
        }
      },
      cancel.get());
  EXPECT_EQ(answer.code(), "interrupted") << answer;
  ASSERT_GE(lines.size(), 20U);
  EXPECT_TRUE(contains(lines[0], "tick")) << lines[0];
}

TEST_F(CApiCalls, WithoutAListenerNothingIsStreamed) {
  const auto library = open();
  ok(library.get(), "apply");
  EXPECT_EQ(ok(library.get(), "exec", shell("echo quiet"))["stdout"], "quiet\n");
}

TEST_F(CApiCalls, ACancelledCommandIsEnded) {
  const auto library = open();
  ok(library.get(), "apply");
  const Cancel cancel(pyro_cancel_new());
  const auto answer = call(
      library.get(), "exec", shell("echo begun; sleep 1000"),
      [&](const Json& event) {
        if (event["kind"] == "stdout") {
          pyro_cancel_request(cancel.get());
        }
      },
      cancel.get());
  EXPECT_EQ(answer.status, PYRO_FAILED) << answer;
  EXPECT_EQ(answer.code(), "interrupted") << answer;
  EXPECT_EQ(answer.document.value("output", Json()), Json({"begun"})) << answer;
  EXPECT_EQ(ok(library.get(), "exec", shell("pgrep -f 'sleep 100[0]' || true"))["stdout"], "");

  // It stays requested: the next call does not begin.
  const auto next = call(library.get(), "exec", shell("touch /tmp/done"), {}, cancel.get());
  EXPECT_EQ(next.code(), "interrupted") << next;
  EXPECT_EQ(ok(library.get(), "exec", shell("ls /tmp"))["stdout"], "");
}

TEST_F(CApiCalls, ACancelledApplyCanBeGoneOnWith) {
  file("prepare:\n  - {id: long, run: 'echo begun; sleep 1000'}\n");
  const auto library = open();
  const Cancel cancel(pyro_cancel_new());
  const auto answer = call(
      library.get(), "apply", Json::object(),
      [&](const Json& event) {
        if (event["kind"] == "log" && contains(event["text"], "begun")) {
          pyro_cancel_request(cancel.get());
        }
      },
      cancel.get());
  EXPECT_EQ(answer.code(), "interrupted") << answer;
  file("prepare:\n  - {id: long, run: 'echo begun'}\n");
  ok(library.get(), "apply", {{"approve", true}});
}

TEST_F(CApiCalls, RelativePathsBeginWhereTheCallerIsNow) {
  const auto library = open();
  const auto id = ok(library.get(), "apply")["workspace_id"];
  const auto other = another_project("other");
  fs::current_path(other);
  EXPECT_EQ(ok(library.get(), "status", {{"directory", "../project"}})["workspace_id"], id);
  EXPECT_NE(call(library.get(), "status").status, PYRO_OK);
  fs::current_path(project());
  EXPECT_EQ(ok(library.get(), "status")["workspace_id"], id);
}

TEST_F(CApiCalls, OptionsOfTheLibraryHold) {
  // Another directory's files need an agreement, which "trust" gives.
  fs::rename(project() / "image", root() / "outside");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:../outside'}\n"
      "prepare: [{id: long, run: 'echo begun; until [ -e /workspace/go ]; do sleep 0.05; done'}]\n");
  const auto careful = open({{"lock_timeout", "1ms"}});
  EXPECT_EQ(call(careful.get(), "apply").code(), "approval_needed");
  const auto library = open({{"trust", true}});
  const Cancel cancel(pyro_cancel_new());
  std::string code;
  std::ignore = call(
      library.get(), "apply", Json::object(),
      [&](const Json& event) {
        if (event["kind"] == "log" && code.empty()) {
          code = call(careful.get(), "destroy", {{"approve", true}}).code(); // somebody is at work
          pyro_cancel_request(cancel.get());
        }
      },
      cancel.get());
  EXPECT_EQ(code, "locked");
}

TEST_F(CApiCalls, WrongOptionsOfTheLibraryAreNamed) {
  EXPECT_TRUE(contains(refused_open({{"bas", "/tmp"}}).document.value("message", ""), "bas"));
  EXPECT_TRUE(contains(refused_open({{"base", 1}}).document.value("message", ""), "base"));
  EXPECT_TRUE(contains(refused_open({{"trust", "yes"}}).document.value("message", ""), "trust"));
  EXPECT_TRUE(contains(refused_open({{"lock_timeout", "soon"}}).document.value("message", ""), "soon"));
  EXPECT_TRUE(contains(refused_open({{"launcher", "/nowhere"}}).document.value("message", ""), "/nowhere"));
  EXPECT_EQ(refused_open(Json::array()).code(), "invalid_argument");
}

} // namespace
} // namespace pyro::testing
